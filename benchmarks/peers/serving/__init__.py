"""The server of this project's container compared with other servers of the same ONNX file, under the same load."""
