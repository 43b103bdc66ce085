"""Predictions as JSON."""

import json

from inference.prediction import Prediction


def test_a_prediction_survives_json() -> None:
    answer = Prediction(
        values={"label": "Speech", "score": 0.99, "audio_seconds": 7.1},
        model_sha256="ab" * 32,
        read={"etag": "e", "size_bytes": 7, "uploaded_at": "2026-11-20T09:30:00.000Z"},
        timings_ms={"download": 1.0, "decode": 2.0, "inference": 3.0},
    )
    assert Prediction.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer
    assert answer.to_dict()["label"] == "Speech"
