"""From a file in S3 to a prediction in DynamoDB.

Shared by the Lambda handlers and the SageMaker container. Knows neither CDK nor, outside `s3_events`, the shape of a
Lambda event. The modules that import numpy (audio, model, local_predictor) are not part of the proxy's bundle.
"""

import os

# onnxruntime's own wheels report to Microsoft what they run, unless told not to before they are imported.
# https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
