"""One line for what each kind of output gives."""

from crossover.prediction_text import prediction_text


def box(label: str, score: float) -> dict[str, object]:
    return {"label": label, "score": score, "box": {"left": 0, "top": 0, "right": 1, "bottom": 1}}


def test_the_best_labels_are_shown() -> None:
    labels = [{"label": name, "score": score} for name, score in zip("abcd", (0.5, 0.25, 0.125, 0.1), strict=True)]
    assert prediction_text({"label": "a", "score": 0.5, "top_labels": labels}) == "a 0.50, b 0.25, c 0.12"


def test_the_best_detections_are_shown_and_the_others_counted() -> None:
    found = [box("cat", 0.9), box("dog", 0.8), box("cat", 0.7), box("cow", 0.6)]
    assert prediction_text({"detections": found, "detection_count": 4}) == "cat 0.90, dog 0.80, cat 0.70 and 1 more"
    assert prediction_text({"detections": found[:1], "detection_count": 1}) == "cat 0.90"
    assert prediction_text({"detections": [], "detection_count": 0}) == "nothing detected"


def test_outputs_are_shown_with_their_shapes_and_where_they_are() -> None:
    outputs = {"embedding": {"dtype": "float32", "shape": [1, 512.0]}}
    assert prediction_text({"outputs": outputs}) == "embedding float32 [1, 512]"
    stored = {"outputs": outputs, "result_uri": "s3://b/results/a.npz"}
    assert prediction_text(stored) == "embedding float32 [1, 512] in s3://b/results/a.npz"
