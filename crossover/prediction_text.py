"""What a model gave for a file, in a line for a table."""

from collections.abc import Mapping
from typing import Any

SHOWN = 3


def prediction_text(item: Mapping[str, Any]) -> str:
    """The best labels, the best detections, or the outputs with their shapes and where they are stored.

    Args:
        item: of the predictions table, or the values that `lambda_src/inference/outputs/` makes for it.
    """
    if "detections" in item:
        found = item["detections"]
        more = int(item.get("detection_count", len(found))) - len(found[:SHOWN])
        return _scores(found) + (f" and {more} more" if more > 0 else "") if found else "nothing detected"
    if "outputs" in item:
        outputs = ", ".join(
            f"{name} {output['dtype']} {[int(size) for size in output['shape']]}"
            for name, output in item["outputs"].items()
        )
        return f"{outputs} in {item['result_uri']}" if "result_uri" in item else outputs
    return _scores(item["top_labels"])


def _scores(found: list[Mapping[str, Any]]) -> str:
    return ", ".join(f"{each['label']} {each['score']:.2f}" for each in found[:SHOWN])
