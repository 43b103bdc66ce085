"""What runs in the SageMaker endpoint, or on any always-on server: an HTTP server around `inference`."""
