"""Scripts that run inside a bundle, in a fresh interpreter without this environment's packages.

Each prints one JSON object. They are files to execute, not modules to import.
"""
