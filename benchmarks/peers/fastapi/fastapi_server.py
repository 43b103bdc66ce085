"""A plain FastAPI app: the body as bytes, and a `def` endpoint, which FastAPI runs in its pool of threads.

https://fastapi.tiangolo.com/async/ advises `def` for what computes and does not await.
"""

from typing import Annotated, Any

from clip_model import ClipModel
from fastapi import Body, FastAPI

app = FastAPI()
model = ClipModel.from_environment()


@app.post("/predict")
def predict(audio: Annotated[bytes, Body(media_type="audio/wav")]) -> dict[str, Any]:
    return model.predict(audio)
