"""From a file in S3 to a prediction in DynamoDB.

Shared by the Lambda handlers and the SageMaker container. Knows neither CDK nor, outside `s3_events`, the shape of a
Lambda event. The modules that import numpy (audio, model, local_predictor) are not part of the proxy's bundle.
"""
