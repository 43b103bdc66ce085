"""The content of the tables, and when a target holds."""

from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from benchmarks.peers.handlers import handler_tables
from benchmarks.peers.handlers.handler_observations import About, Observation, Section, sum_up

FLAC = "10 s.flac"


def section(*, usual: bool = True, cold_ms: float = 300.0, decode_ms: float = 6.0) -> Section:
    """A result in which the usual handler takes 1,000 ms and librosa 10 ms."""

    def one(part: str, subject: str, implementation: str, **measured: Any) -> Observation:
        return Observation(part=part, subject=subject, implementation=implementation, round=0, measured=measured)

    observations = [
        one("handler", "speech.wav", "ours", cold_ms=cold_ms, cold_cpu_s=0.25, peak_mb=150.0, warm_ms=[30.0]),
        one("handler", "speech.wav", "baseline", warm_ms=[20.0]),
        one("decode", FLAC, "ours", first_ms=9.0, warm_ms=[decode_ms]),
        one("model", "1 thread", "ours", load_ms=60.0, warm_ms=[16.0]),
        one("model", "1 thread", "tflite", load_ms=5.0, warm_ms=[12.0]),
        one("model", "2 threads", "ours", load_ms=60.0, warm_ms=[10.0]),
    ]
    if usual:
        observations.append(one("handler", "speech.wav", "usual", cold_ms=1000.0, warm_ms=[45.0]))
        observations.append(one("decode", FLAC, "usual", first_ms=1500.0, warm_ms=[10.0]))
    observations.append(one("decode", "speech.wav", "ours", first_ms=1.0, warm_ms=[0.5]))
    observations.append(
        Observation(part="model", subject="1 thread", implementation="tflite", round=1, error="It failed.")
    )
    sizes: About = {"package_bytes": 86_000_000, "model_bytes": 4_600_000}
    return {
        "processes": 1,
        "calls": 1,
        "speech": "speech.wav",
        "implementations": {
            "ours": {"description": "ours", "unavailable": None, **sizes},
            "usual": {
                "description": "librosa",
                "unavailable": None if usual else "No such wheel.",
                **(sizes if usual else About()),
            },
            "tflite": {"description": "TFLite", "unavailable": None, **sizes},
        },
        "clips": [{"name": FLAC, "bytes": 500_000, "sha256": "5" * 64}],
        "observations": [each.to_json() for each in observations],
        "summary": sum_up(observations),
    }


def rows(table: Table, width: int = 160) -> list[list[str]]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(table)
    lines = captured.get().replace("┃", "│").splitlines()
    return [[cell.strip() for cell in line.split("│")] for line in lines]


def test_handlers_have_their_figures_and_ratios() -> None:
    table = rows(handler_tables.tables(section())[1])
    assert table[1] == ["", "cold", "x", "CPU", "peak", "warm", "x", "x", "CPU", "x"]
    assert table[2] == ["handler", "ms", "ours", "s", "MB", "ms", "ours", "baseline", "ms", "ours"]
    assert table[4] == ["ours", "300", "1.00", "0.25", "150", "30.0", "1.00", "1.50", "-", "-"]
    assert table[5] == ["baseline", "-", "-", "-", "-", "20.0", "0.67", "1.00", "-", "-"]
    assert table[6] == ["usual", "1,000", "3.33", "-", "-", "45.0", "1.50", "2.25", "-", "-"]


def test_decoding_and_the_model_have_their_own_names() -> None:
    _, _, decoding, model = map(rows, handler_tables.tables(section()))
    assert decoding[4] == [FLAC, "ours", "9.0", "6.00", "1.00", "-", "-"]
    assert decoding[5] == ["", "librosa.load", "1,500.0", "10.00", "1.67", "-", "-"]
    assert model[4][:2] + model[4][3:7] == ["1 thread", "ONNX", "60.0", "-", "16.0", "1.00"]
    assert model[5][:2] + model[5][3:7] == ["", "TFLite", "5.0", "-", "12.0", "0.75"]
    assert "8-bit activations" in " ".join(cell for line in model for cell in line)


def test_a_peer_that_is_missing_is_a_row_with_the_reason() -> None:
    text = [" ".join(line) for line in rows(handler_tables.tables(section(usual=False))[0])]
    at = next(number for number, line in enumerate(text) if line.startswith("usual"))
    assert text[at] == "usual librosa - -"
    assert "✗ No such wheel." in text[at + 1]


def test_a_reason_is_shown_as_it_is() -> None:
    given = section(usual=False)
    given["implementations"]["usual"]["unavailable"] = "[notice] \x1b[31m pip [/ended]"
    text = "\n".join(" ".join(line) for line in rows(handler_tables.tables(given)[0]))
    assert "✗ [notice] \N{REPLACEMENT CHARACTER}[31m pip [/ended]" in text


def test_failed_processes_are_reported() -> None:
    text = "\n".join(" ".join(line) for line in rows(handler_tables.tables(section())[0]))
    assert text.count("failed") == 1
    assert "✗ 1 of its processes failed, see the result." in text


@pytest.mark.parametrize("width", [80, 140])
def test_the_tables_fit(width: int) -> None:
    for table in handler_tables.tables(section()):
        assert all(len("│".join(line)) <= width and "…" not in "".join(line) for line in rows(table, width))


def test_a_target_is_a_ratio_of_medians() -> None:
    cold, decoding = handler_tables.targets(section(cold_ms=360.0, decode_ms=6.1))
    assert cold == ("cold start, of the usual handler's", 0.36, "at most 0.36", True, None)
    assert decoding[0] == "decoding 10 s.flac, warm, of librosa.load's"
    assert decoding[1] == pytest.approx(0.61)
    assert decoding[2:4] == ("at most 0.6", False)


def test_a_target_that_cannot_be_measured_does_not_hold() -> None:
    assert [(target.value, target.holds) for target in handler_tables.targets(section(usual=False))] == [
        (None, False)
    ] * 2
