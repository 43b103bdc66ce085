"""An ONNX file and its contract: described, checked, tried."""
