"""The BentoML service: the file as a path, as BentoML's documentation takes audio; WORKERS processes."""

import os
from pathlib import Path
from typing import Annotated, Any

import bentoml
from bentoml.validators import ContentType
from clip_model import ClipModel


# https://docs.bentoml.com/en/latest/build-with-bentoml/parallelize-requests.html: on CPUs, a worker for each core.
@bentoml.service(workers=int(os.environ["WORKERS"]))
class ClipService:
    def __init__(self) -> None:
        self.model = ClipModel.from_environment()

    @bentoml.api
    def predict(self, audio: Annotated[Path, ContentType("audio/wav")], /) -> dict[str, Any]:
        return self.model.predict(audio.read_bytes())
