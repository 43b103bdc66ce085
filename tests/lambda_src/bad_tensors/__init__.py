"""Tensor files that cannot be decoded: how they are made, and the result of each.

One module for each format; `corpus.py` gathers them. Nothing is stored: each file is made from numbers and seeds.
"""
