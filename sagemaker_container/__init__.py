"""What runs in the SageMaker endpoint, and on any always-on machine: an HTTP server around `inference`."""
