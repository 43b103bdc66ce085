"""`crossover deadletters` on the command line."""

import io
import json
import sys
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from crossover import cli, terminal
from crossover.aws import Clients
from crossover.deadletters.redriving import NO_UPLOAD
from crossover.deployed import Variant

from ..deployments import create_stack, failed_event, letter_of, messages_in, put_dead_letter, put_failure


class Lambda:
    def __init__(self) -> None:
        self.functions: list[str] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.functions.append(request["FunctionName"])
        return {"StatusCode": 202}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"LoggingConfig": {"LogGroup": f"log-of-{FunctionName}"}}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def function(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """What is invoked by the commands, whose other clients are moto's."""
    function = Lambda()
    session = SimpleNamespace(
        region_name=None, client=lambda service, **_: function if service == "lambda" else clients(service)
    )
    monkeypatch.setattr(boto3, "Session", lambda: session)
    return function


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: io.StringIO | None = None) -> int:
    monkeypatch.setattr(sys, "argv", ["crossover", "deadletters", *arguments])
    monkeypatch.setattr(sys, "stdin", stdin or io.StringIO())
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(autouse=True)
def deployed(variant: Variant, function: Lambda) -> Variant:
    return variant


def test_list_shows_what_failed_and_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    letter = put_failure(clients, variant, "a.wav", "b c.wav", error="ModelError", message="The model is ill.")
    put_dead_letter(clients, variant, "no JSON")
    assert run(monkeypatch, "list") == 0
    output = capsys.readouterr()
    rows = [[cell.strip() for cell in line.split("│")] for line in output.out.splitlines()]
    [row] = [row for row in rows if row[0] == letter[:8]]
    assert row[1:3] == ["standard", "a.wav, b c.wav"]
    assert row[3] == "ModelError: The model is ill"
    assert row[4] == "RetriesExhausted (3)"
    assert [row[2] for row in rows if len(row) > 2].count("no upload") == 1
    assert output.err == ""
    assert messages_in(clients, variant) == (2, 0)


def test_list_as_json_has_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    event = failed_event(variant, "a.wav")
    letter = put_dead_letter(clients, variant, letter_of(event))
    put_dead_letter(clients, variant, "no JSON")
    assert run(monkeypatch, "list", "--json") == 0
    shown = {entry["id"]: entry for entry in json.loads(capsys.readouterr().out)}
    entry = shown.pop(letter)
    assert entry["record"]["requestPayload"] == event
    assert {name: entry[name] for name in ("variant", "keys", "error_type", "error_message")} == {
        "variant": "standard",
        "keys": ["a.wav"],
        "error_type": "EndpointConnectionError",
        "error_message": "Could not connect.",
    }
    assert (entry["condition"], entry["attempts"]) == ("RetriesExhausted", 3)
    [other] = shown.values()
    assert (other["record"], other["keys"], other["attempts"]) == ("no JSON", [], None)


def test_list_stops_at_its_limit_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    for number in range(13):
        put_failure(clients, variant, f"{number}.wav")
    assert run(monkeypatch, "list", "--json", "--limit", "11") == 0
    output = capsys.readouterr()
    assert len(json.loads(output.out)) == 11
    assert output.err == "standard: there may be more dead letters: --limit 11 is reached.\n"
    assert messages_in(clients, variant) == (13, 0)


def test_list_of_an_empty_queue_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "list") == 0
    assert capsys.readouterr().out == "There are no dead letters.\n"


def test_uploaders_names_cannot_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    put_failure(clients, variant, "\x1b[2J\n[red].wav", message="\x1b]0;title\x07 gone")
    assert run(monkeypatch, "list") == 0
    assert run(monkeypatch, "redrive", "--yes") == 0
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "\x07" not in output
    assert "[red].wav" in output


def test_variants_and_prefix_choose_the_stacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    create_stack(clients, "Crossover-SnapStart", "snapstart")
    create_stack(clients, "Mine-Standard", "standard")
    put_failure(clients, variant, "a.wav")
    assert run(monkeypatch, "list", "--variants", "snapstart") == 0
    assert run(monkeypatch, "list", "--prefix", "Mine") == 0
    assert capsys.readouterr().out == "There are no dead letters.\n" * 2
    assert run(monkeypatch, "list", "--variants", "sagemaker") == 2
    assert "The variant 'sagemaker' is not deployed" in capsys.readouterr().err


def test_show_prints_one_dead_letter_by_a_prefix_of_its_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    event = failed_event(variant, "a.wav")
    letter = put_dead_letter(clients, variant, letter_of(event))
    assert run(monkeypatch, "show", letter[:8]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["id"], shown["record"]["requestPayload"]) == (letter, event)


def test_show_names_an_unknown_id(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "show", "gone") == 2
    assert capsys.readouterr().err == "crossover: There is no dead letter 'gone' in the queue of standard.\n"


def test_the_log_is_named_where_a_dead_letter_has_no_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    put_failure(clients, variant, "a.wav")
    assert run(monkeypatch, "list") == 0
    assert capsys.readouterr().err == ""
    put_dead_letter(clients, variant, json.dumps(failed_event(variant, "b.wav")))
    assert run(monkeypatch, "list") == 0
    assert capsys.readouterr().err == f"standard: the function's log is log-of-{variant.function}.\n"


def test_delete_asks_and_deletes_only_what_was_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    put_failure(clients, variant, "a.wav")
    bad = put_dead_letter(clients, variant, "no JSON")
    assert run(monkeypatch, "delete", bad[:8]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert run(monkeypatch, "delete", bad[:8], stdin=Terminal("n\n")) == 1
    assert messages_in(clients, variant) == (2, 0)
    assert run(monkeypatch, "delete", bad[:8], "--yes") == 0
    assert capsys.readouterr().out.endswith("Deleted: 1.\n")
    assert messages_in(clients, variant) == (1, 0)


def test_redrive_counts_the_redriven_and_names_those_left(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    function: Lambda,
) -> None:
    good = put_failure(clients, variant, "a.wav")
    bad = put_dead_letter(clients, variant, "no JSON")
    assert run(monkeypatch, "redrive", "--yes") == 1
    *letters, count = capsys.readouterr().out.splitlines()
    assert sorted(letters) == sorted([f"{good} a.wav: redriven", f"{bad}: left in the queue: {NO_UPLOAD}"])
    assert count == "standard: 1 redriven, 1 left in the queue."
    assert function.functions == [variant.handler_arn]


def test_redriving_again_finds_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    put_failure(clients, variant, "a.wav")
    assert run(monkeypatch, "redrive", "--yes") == 0
    capsys.readouterr()
    assert run(monkeypatch, "redrive", "--yes") == 0
    assert capsys.readouterr().out == "standard: 0 redriven, 0 left in the queue.\n"


def test_redrive_takes_every_variants_own_handler(
    monkeypatch: pytest.MonkeyPatch, clients: Clients, variant: Variant, function: Lambda
) -> None:
    from crossover.deployed import find_variants

    create_stack(clients, "Crossover-SnapStart", "snapstart")
    variants = find_variants(clients, prefix="Crossover")
    for other in variants:
        put_failure(clients, other, "a.wav")
    assert run(monkeypatch, "redrive", "--yes") == 0
    assert sorted(function.functions) == sorted(other.handler_arn for other in variants)
    assert len(set(function.functions)) == 2


def test_redrive_by_id_redrives_only_that_dead_letter(
    monkeypatch: pytest.MonkeyPatch, clients: Clients, variant: Variant, function: Lambda
) -> None:
    first, _ = (put_failure(clients, variant, key) for key in ("1.wav", "2.wav"))
    assert run(monkeypatch, "redrive", "--yes", first) == 0
    assert len(function.functions) == 1
    assert messages_in(clients, variant) == (1, 0)


def test_redrive_does_nothing_if_one_of_the_ids_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    function: Lambda,
) -> None:
    letter = put_failure(clients, variant, "1.wav")
    assert run(monkeypatch, "redrive", "--yes", letter, "gone") == 2
    assert "There is no dead letter 'gone'" in capsys.readouterr().err
    assert function.functions == []


def test_a_chosen_dead_letter_held_by_another_reader_is_counted(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    function: Lambda,
) -> None:
    letter = put_failure(clients, variant, "1.wav")

    class Waits(Terminal):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # bytes in typeshed's IOBase
            clients("sqs").receive_message(QueueUrl=variant.dead_letter_queue)
            return "y\n"

    assert run(monkeypatch, "redrive", letter, stdin=Waits()) == 1
    assert "Not redriven because another reader holds them: 1" in capsys.readouterr().out
    assert function.functions == []


def test_redrive_filters_by_key_and_error(
    monkeypatch: pytest.MonkeyPatch, clients: Clients, variant: Variant, function: Lambda
) -> None:
    put_failure(clients, variant, "calls/1.wav")
    put_failure(clients, variant, "calls/2.wav", error="ModelError")
    put_failure(clients, variant, "music/3.wav", error="ModelError")
    assert run(monkeypatch, "redrive", "--yes", "--key", "calls/", "--error", "ModelError") == 0
    assert len(function.functions) == 1


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("\n", 1, 1)])
def test_redrive_asks_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    answer: str,
    code: int,
    left: int,
) -> None:
    put_failure(clients, variant, "calls/1.wav")
    assert run(monkeypatch, "redrive", "--key", "calls/", stdin=Terminal(answer)) == code
    assert "Redrive all dead letters of standard with keys that begin with 'calls/'?" in capsys.readouterr().out
    assert messages_in(clients, variant) == (left, 0)


def test_redrive_without_a_terminal_needs_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    put_failure(clients, variant, "a.wav")
    assert run(monkeypatch, "redrive") == 2
    assert "standard input is not a terminal; add --yes or --dry-run" in capsys.readouterr().err
    assert messages_in(clients, variant) == (1, 0)


@pytest.mark.parametrize("options", [[], ["--key", "calls/"]])
def test_redrive_does_not_ask_without_chosen_dead_letters(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    options: list[str],
) -> None:
    if options:
        put_failure(clients, variant, "music/a.wav")
    criteria = " with keys that begin with 'calls/'" if options else ""
    assert run(monkeypatch, "redrive", *options) == 0
    assert capsys.readouterr().out == f"There are no dead letters to redrive of standard{criteria}.\n"
    assert messages_in(clients, variant) == (len(options) // 2, 0)


def test_list_fits_a_terminal_of_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clients: Clients, variant: Variant
) -> None:
    name = "0123456789ab/sense_and_sensibility_01_austen_64kb-0870.wav"
    put_failure(clients, variant, name, error="EndpointConnectionError", message="Could not connect to the endpoint.")
    monkeypatch.setattr(terminal, "WIDTH_WITHOUT_TERMINAL", 80)
    assert run(monkeypatch, "list") == 0
    rows = [line.split("│") for line in capsys.readouterr().out.splitlines()]
    assert max(len("│".join(row)) for row in rows) <= 80
    assert "".join(row[2].strip() for row in rows[1:] if len(row) > 2).endswith(name)


def test_a_dry_run_says_what_would_be_done_without_asking(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: Clients,
    variant: Variant,
    function: Lambda,
) -> None:
    letter = put_failure(clients, variant, "a.wav")
    assert run(monkeypatch, "redrive", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{letter} a.wav: would be redriven",
        "standard: 1 would be redriven, 0 left in the queue.",
    ]
    assert function.functions == []
    assert messages_in(clients, variant) == (1, 0)
