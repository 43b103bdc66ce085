"""The embedded local AWS: ministack, and what this project needs beyond it.

It runs as a separate process, in the environment that `python_environments.py` makes; nothing else in the project
uses ministack. Its settings (port, account) are environment variables, because ministack reads them while it is
imported. `__main__.py` installs everything; every other file says at its top what it adds.
"""
