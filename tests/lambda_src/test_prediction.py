"""The top labels, and predictions as JSON."""

import json

from inference.prediction import LabelScore, Prediction, top_labels


def test_the_best_labels_come_first_and_ties_keep_the_models_order() -> None:
    best = top_labels(["a", "b", "c", "d"], [0.1, 0.7, 0.1, 0.9], count=3)
    assert best == (LabelScore("d", 0.9), LabelScore("b", 0.7), LabelScore("a", 0.1))


def test_a_model_with_few_classes_gives_them_all() -> None:
    assert [item.label for item in top_labels(["no", "yes"], [0.2, 0.8])] == ["yes", "no"]


def test_a_prediction_survives_json() -> None:
    answer = Prediction(
        top_labels=(LabelScore("Speech", 0.99), LabelScore("Music", 0.01)),
        audio_seconds=7.1,
        model_sha256="ab" * 32,
        etag="e",
        timings_ms={"download": 1.0, "decode": 2.0, "inference": 3.0},
    )
    assert Prediction.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer
    assert (answer.label, answer.score) == ("Speech", 0.99)
