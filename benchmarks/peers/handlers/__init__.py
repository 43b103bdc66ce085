"""The project's handler compared with other implementations: cold start, warm call, decoding, and the model alone."""
