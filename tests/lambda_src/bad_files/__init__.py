"""Files that no one should send: how they are made, and what becomes of them.

One module for each format; `corpus.py` gathers them. Nothing is stored: each file is made from numbers and seeds.
"""
