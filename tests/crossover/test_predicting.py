"""The table of predictions."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from crossover import predicting
from crossover.aws import Clients
from crossover.deployed import Item, Result, Variant, find_variants
from crossover.errors import UsageError
from crossover.predicting import Row, predict_all, table

from .deployments import create_stack

SPEECH = Path("clips/speech.wav")
SUCCEEDED: Item = {
    "status": "SUCCEEDED",
    "top_labels": [
        {"label": "Speech", "score": 0.985},
        {"label": "Narration", "score": 0.2},
        {"label": "Radio", "score": 0.1},
        {"label": "Music", "score": 0.01},
    ],
    "cold_start": True,
}
FAILED: Item = {
    "status": "FAILED",
    "error_code": "EMPTY_FILE",
    "error_message": "The file is empty.",
    "cold_start": False,
}


def lines(*rows: Row, width: int = 160) -> list[str]:
    output = StringIO()
    Console(file=output, width=width).print(table(rows))
    return output.getvalue().splitlines()


def row(item: Item, *, file: Path = SPEECH, variant: str = "standard", milliseconds: float = 1234.5) -> Row:
    return Row(file=file, variant=variant, result=Result(item=item, milliseconds=milliseconds))


def line_with(word: str, shown: list[str]) -> list[str]:
    [line] = [line for line in shown if word in line]
    return [cell.strip() for cell in line.split("│")]


def test_a_prediction_shows_its_best_labels_its_time_and_how_it_started() -> None:
    shown = lines(row(SUCCEEDED))
    best = "Speech 0.98, Narration 0.20, Radio 0.10"
    assert line_with("SUCCEEDED", shown) == ["speech.wav", "standard", best, "SUCCEEDED", "1,234", "cold"]


def test_a_failed_item_shows_its_code_and_message() -> None:
    assert line_with("FAILED", lines(row(FAILED)))[2:] == ["EMPTY_FILE: The file is empty.", "FAILED", "1,234", "warm"]


def test_a_missing_item_shows_why() -> None:
    missing = Row(file=SPEECH, variant="standard", result=None, problem="The event is in the dead-letter queue.")
    assert line_with("dead-letter", lines(missing))[2:4] == ["The event is in the dead-letter queue.", "NO ITEM"]


def test_only_a_prediction_is_a_success() -> None:
    assert row(SUCCEEDED).succeeded
    assert not row(FAILED).succeeded
    assert not Row(file=SPEECH, variant="standard", result=None).succeeded


def test_the_table_cuts_nothing_at_80_columns() -> None:
    speech = Path("sense_and_sensibility_01_austen_64kb-0870.wav")
    shown = lines(row(SUCCEEDED, file=speech, variant="sagemaker", milliseconds=123456), row(FAILED), width=80)
    assert max(map(len, shown)) <= 80
    cells = [[cell.strip() for cell in line.split("│")] for line in shown[1:] if "│" in line]
    files, variants, predictions, *_ = ["".join(column) for column in zip(*cells, strict=True)]
    assert files == speech.name + SPEECH.name
    assert variants == "sagemakerstandard"
    assert predictions.replace(" ", "").startswith("Speech0.98,Narration0.20,Radio0.10EMPTY_FILE:Thefileisempty.")
    assert "…" not in "".join(shown)


def test_a_file_is_named_once_for_all_its_variants() -> None:
    shown = lines(row(SUCCEEDED), row(SUCCEEDED, variant="snapstart"), row(FAILED, file=Path("empty.wav")))
    assert line_with("snapstart", shown)[0] == ""
    assert line_with("FAILED", shown)[0] == "empty.wav"


def test_labels_are_shown_as_they_are_even_if_they_look_like_markup() -> None:
    item: Item = {**SUCCEEDED, "top_labels": [{"label": "[red] noise", "score": 0.5}]}
    assert line_with("SUCCEEDED", lines(row(item)))[2] == "[red] noise 0.50"


def test_a_file_name_cannot_control_the_terminal() -> None:
    shown = lines(row(SUCCEEDED, file=Path("\x1b[2J.wav")))
    assert line_with("SUCCEEDED", shown)[0] == "\N{REPLACEMENT CHARACTER}[2J.wav"


def test_a_folder_means_the_files_that_the_deployed_model_takes(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("speech.wav", "bird.jpg"):
        (tmp_path / name).touch()

    def answer(clients: Clients, variant: Variant, file: Path, *, key: str, timeout_seconds: float) -> Result:
        return Result(item=SUCCEEDED, milliseconds=1)

    monkeypatch.setattr(predicting, "predict", answer)
    create_stack(clients, "Crossover-Standard", "standard", outputs={"InputKind": "image"})
    create_stack(clients, "Old-Standard", "standard")
    pictures, unknown = (find_variants(clients, prefix=prefix) for prefix in ("Crossover", "Old"))
    assert [row.file.name for row in predict_all(clients, pictures, [tmp_path], timeout_seconds=1)] == ["bird.jpg"]
    assert len(predict_all(clients, unknown, [tmp_path], timeout_seconds=1)) == 2
    with pytest.raises(UsageError, match=r"speech\.wav is audio/x-wav by its name, but the model takes image: "):
        predict_all(clients, pictures, [tmp_path / "speech.wav"], timeout_seconds=1)
