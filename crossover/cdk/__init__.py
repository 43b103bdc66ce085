"""The constructs."""

import os

# onnxruntime, which reads the model at synth, reports to Microsoft what it runs unless told not to before its import.
# https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
