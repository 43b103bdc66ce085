"""This project's container server beside other servers of the same ONNX file, under the same load on this machine."""
