"""Files of kinds that people reported: each gives the right label and length, or the error that names it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from ..conftest import CONTEXT, load_handler
from ..events import event

FILES = Path(__file__).parent / "files"
EXPECTED = json.loads((FILES.parent / "expected.json").read_text())


@pytest.fixture(autouse=True)
def standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")


def test_each_file_has_an_expectation() -> None:
    assert {path.name for path in FILES.iterdir()} == set(EXPECTED)


def test_items_say_what_is_right(aws: SimpleNamespace) -> None:
    handler = load_handler("standard_handler").handler
    handler(event(*(aws.upload(name, (FILES / name).read_bytes()) for name in EXPECTED)), CONTEXT)
    wrong = {}
    for name, expected in EXPECTED.items():
        item = aws.item(name)
        right = item["status"]["S"] == expected["status"]
        if right and expected["status"] == "SUCCEEDED":
            right = "top_label_among" not in expected or item["label"]["S"] in expected["top_label_among"]
            seconds = float(item["audio_seconds"]["N"])
            right &= "audio_seconds" not in expected or abs(seconds - expected["audio_seconds"]) <= expected["within"]
        elif right:
            message = item["error_message"]["S"]
            right = item["error_code"]["S"] in expected["error_code_among"]
            right &= any(word in message for word in expected.get("message_has", [message]))
        if not right:
            wrong[name] = item
    assert wrong == {}
