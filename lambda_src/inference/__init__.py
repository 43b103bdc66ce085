"""From an object in S3 to a prediction in DynamoDB.

Shared by the Lambda handlers and the SageMaker container. It knows nothing of CDK, and only `s3_events` knows the shape
of a Lambda event. The modules that import numpy (audio, model, local_predictor) are not part of the proxy's bundle.
"""

import os

# onnxruntime's own wheels send usage data to Microsoft unless this is set before they are imported.
# https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
