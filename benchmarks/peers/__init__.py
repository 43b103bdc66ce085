"""This project compared with others for the same task, each in its own environment."""
