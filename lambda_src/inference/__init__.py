"""From an object in S3 to a prediction in DynamoDB.

Shared by the Lambda handlers and the container. It knows nothing of CDK, and only `s3_events` knows the shape of a
Lambda event. What a model takes and gives is a kind of input (`inputs`) and a kind of output (`outputs`); no other
module knows one by its name. The modules that import numpy are not part of the proxy's bundle.

Imports within the package are relative: the constructs and the command line load the same files under another name, to
read and try a model, without putting `inference` among the modules of the app that uses them.
"""

import os

# onnxruntime's own wheels send usage data to Microsoft unless this is set before they are imported.
# https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
