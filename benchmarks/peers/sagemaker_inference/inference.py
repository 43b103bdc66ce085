"""The functions that the SageMaker inference toolkit looks for in the user's module, `inference` by default."""

import json

from clip_model import ClipModel


def model_fn(model_dir: str) -> ClipModel:
    return ClipModel.from_environment()


def transform_fn(model: ClipModel, data: bytes, content_type: str, accept: str) -> tuple[str, str]:
    return json.dumps(model.predict(data)), "application/json"
