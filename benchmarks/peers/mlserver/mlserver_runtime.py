"""The MLServer runtime. A custom handler takes the file as bytes; the V2 protocol would wrap it in base64 and JSON."""

from typing import Annotated, Any

from clip_model import ClipModel
from fastapi import Body
from mlserver import MLModel
from mlserver.handlers import custom_handler


class ClipRuntime(MLModel):
    async def load(self) -> bool:
        self.model = ClipModel.from_environment()
        return True

    @custom_handler(rest_path="/predict")
    async def predict_clip(self, audio: Annotated[bytes, Body(media_type="audio/wav")]) -> dict[str, Any]:
        return self.model.predict(audio)
