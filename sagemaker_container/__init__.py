"""What runs in the SageMaker endpoint, and on any always-on server: an HTTP server around `inference`."""
