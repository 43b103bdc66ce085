"""How audio files are read: what they are, whether all of them is there, and two libraries that decode them."""
