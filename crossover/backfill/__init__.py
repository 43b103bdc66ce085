"""Predicts what lies in the input bucket already, by a job of S3 Batch Operations."""
