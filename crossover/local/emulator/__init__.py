"""The embedded local AWS: ministack 1.5.33 and what this project needs beyond it.

Runs as a process of its own, in the environment of `environment.py`; nothing else in the project knows ministack's
internals. Its public settings (port, account) come as environment variables, because ministack reads them while it is
imported. `__main__.py` puts everything in its place; every other file says at its top what it adds.
"""
