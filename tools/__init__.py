"""For maintainers: tables for the docs, made from the code. Not installed."""
