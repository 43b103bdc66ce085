"""Measurements: what can be measured on this machine, without AWS."""
