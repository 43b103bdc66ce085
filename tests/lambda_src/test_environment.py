"""A handler's settings."""

import pytest

from inference.environment import Environment
from inference.limits import Limits

NEEDED = {"PREDICTIONS_TABLE": "predictions", "PREDICTOR": "standard", "MODEL_S3_URI": "s3://b/k"}


def test_settings_are_read_and_others_have_defaults() -> None:
    environment = Environment.read(NEEDED, "MODEL_S3_URI")
    assert environment.model_s3_uri == "s3://b/k"
    assert environment.item_lifetime_days is None
    assert environment.limits == Limits()
    assert environment.metrics_stack == ""


def test_limits_lifetime_and_metrics_are_settings() -> None:
    more = {"MAX_FILE_BYTES": "1000", "RESULTS_BUCKET": "results", "ITEM_LIFETIME_DAYS": "30", "METRICS_STACK": "S"}
    environment = Environment.read({**NEEDED, **more})
    assert environment.item_lifetime_days == 30
    assert environment.metrics_stack == "S"
    assert environment.results_bucket == "results"
    assert environment.limits == Limits(max_bytes=1000)


@pytest.mark.parametrize("name", [*NEEDED, "ENDPOINT_NAME"])
def test_a_missing_variable_is_named(name: str) -> None:
    environ = {**NEEDED, "ENDPOINT_NAME": "e", name: ""}
    with pytest.raises(RuntimeError, match=f"lacks {name}:"):
        Environment.read(environ, "MODEL_S3_URI", "ENDPOINT_NAME")
