"""The project's handler against other ways to write it: cold start, warm call, decoding, and the model alone."""
