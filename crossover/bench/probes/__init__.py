"""Scripts that run inside a bundle, in a fresh interpreter that has nothing of this environment.

Each prints one JSON object. They are files to execute, not modules to import.
"""
