"""This project compared with others that do the same work, each in an environment of its own."""
