"""The LitServe server: the body as bytes, WORKERS processes that predict, on 127.0.0.1:PORT."""

import os
from typing import Annotated, Any

import litserve
from clip_model import ClipModel
from fastapi import Body


class ClipApi(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = ClipModel.from_environment()

    # LitServe hands this annotation to FastAPI; for a plain Request it would parse the body as JSON or as a form.
    def decode_request(self, request: Annotated[bytes, Body(media_type="audio/wav")]) -> bytes:
        return request

    def predict(self, audio: bytes) -> dict[str, Any]:
        return self.model.predict(audio)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":  # its workers import this file again
    # LitServer's docstring: on CPUs, as many workers as cores; the faster queue only pays above 100 requests/s.
    server = litserve.LitServer(ClipApi(), accelerator="cpu", workers_per_device=int(os.environ["WORKERS"]))
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False)
