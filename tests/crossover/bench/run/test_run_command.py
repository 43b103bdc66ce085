"""`crossover bench run`: what it asks, refuses, prints and leaves, with a pipeline that answers at once."""

import contextlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from rich.console import Console

from crossover.bench.run import context, session
from crossover.bench.run.observation import Outcome
from crossover.bench.run.plan import Planned
from crossover.cli import main
from crossover.cost import measured
from crossover.interrupts import InterruptedBySignalError
from crossover.local.process import Emulator
from crossover.local.workspace import Workspace
from crossover.paths import sources

from .fakes import deployment, variant
from .test_load_test import Account, Functions

QUICK = ("--sizes", "12KB", "--arrival", "constant:60rpm", "--requests", "3")


class Terminal:
    """The command, run in a folder of its own.

    Attributes:
        folder: where it runs.
        account: what it talks to.
        questions: what it asked the person, who answers `answer`.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, account: Account) -> None:
        self.monkeypatch = monkeypatch
        self.folder = folder
        self.account = account
        self.questions: list[str] = []
        self.answer = True
        functions = Functions(account.functions)
        functions.meta = SimpleNamespace(region_name="eu-central-1")
        services = {"lambda": functions, "logs": account.logs, "cloudwatch": account.metrics}
        monkeypatch.chdir(folder)
        monkeypatch.setattr(
            session, "connect", lambda *_, **__: contextlib.nullcontext(lambda service: services[service])
        )
        deployed = ("standard", "snapstart", "sagemaker")
        monkeypatch.setattr(
            session, "find_variants", lambda clients, names, **_: [variant(name) for name in names or deployed]
        )
        monkeypatch.setattr(session, "describe", lambda clients, each: deployment(each.name))
        for module in (context, session):
            monkeypatch.setattr(module, "Clock", lambda: account.time.clock)
        monkeypatch.setattr(typer, "confirm", self._ask)

    def _ask(self, question: str, **_: Any) -> bool:
        self.questions.append(question)
        return self.answer

    def run(self, *arguments: str) -> int:
        """Run it; returns its exit code."""
        self.monkeypatch.setattr(sys, "argv", ["crossover", "bench", "run", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        code = end.value.code
        assert isinstance(code, int)
        return code


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    return Terminal(monkeypatch, tmp_path, Account(monkeypatch, tmp_path))


def on_terminal(monkeypatch: pytest.MonkeyPatch, is_one: bool) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: is_one))


def test_it_measures_prints_and_writes_a_result_that_the_cost_model_reads(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terminal.run(*QUICK, "--cold", "1", "--yes", "--output", "r.json") == 0
    said = capsys.readouterr()
    assert terminal.questions == []
    assert [path.name for path in terminal.folder.iterdir()] == ["r.json"]  # the journal is gone
    document = json.loads(Path("r.json").read_text())
    assert document["rehearsal"] is False
    assert len(document["observations"]) == 3 * 4
    assert "ehearsal" not in said.out
    for variant_name in ("standard", "snapstart", "sagemaker"):
        assert (
            f"{variant_name}: 4 succeeded; cold share 0.00% of the open loop, 1 of 1 forced starts were cold."
            in said.out
        )
    assert "No observation was discarded" in said.out
    assert "The result is r.json." in said.out
    assert "What this may cost, about" in said.err
    assert "snapstart: snapshots" in said.err
    assert measured.read(Path("r.json")).values["restore_seconds"] == 0.05


def test_a_rehearsal_is_marked_everywhere_and_asks_nothing(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch, False)
    assert terminal.run(*QUICK, "--local", "--output", "r.json") == 0
    said = capsys.readouterr()
    assert terminal.questions == []
    assert "A rehearsal on the local AWS: the times are this machine's, not AWS's." in said.out
    assert "on AWS, if it had run there" in said.out
    assert "What this would cost on AWS, about" in said.err
    assert json.loads(Path("r.json").read_text())["rehearsal"] is True


def test_json_is_the_result(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.run(*QUICK, "--variants", "standard", "--yes", "--json", "--output", "r.json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(Path("r.json").read_text())


def test_without_a_name_the_result_is_named_after_the_time(terminal: Terminal) -> None:
    assert terminal.run(*QUICK, "--variants", "standard", "--yes") == 0
    assert [path.name for path in terminal.folder.iterdir()] == ["bench-20260921T141320Z.json"]


def test_a_ramp_prints_its_throughput(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    ramp = ("--sizes", "12KB", "--arrival", "ramp:1-4", "--requests", "12", "--variants", "standard")
    assert terminal.run(*ramp, "--yes") == 0
    said = capsys.readouterr().out
    assert "Throughput" in said
    assert "of the closed loop" in said


def test_the_files_are_of_the_kind_that_the_stacks_name(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        session, "describe", lambda clients, each: deployment(variant=variant(each.name, input_kind="image"))
    )
    assert terminal.run("--requests", "3", "--variants", "standard", "--yes", "--output", "r.json") == 0
    made = json.loads(Path("r.json").read_text())["plan"]
    assert made["input_kind"] == "image"
    assert {Path(file["name"]).suffix for file in made["files"]} == {".jpg", ".png"}
    assert all(file["width"] > 0 for file in made["files"])


def test_without_the_output_the_samples_decide(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(
        session, "describe", lambda clients, each: deployment(variant=variant(each.name, input_kind=""))
    )
    quick = ("--requests", "3", "--variants", "standard", "--yes")
    assert terminal.run(*quick) == 2
    assert "has no output InputKind" in capsys.readouterr().err
    for name in ("a.jpg", "b.wav"):
        (tmp_path / "mixed" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "mixed" / name).write_bytes(b"x")
    assert terminal.run(*quick, "--samples", "mixed") == 2
    assert "must be of one kind" in capsys.readouterr().err
    picture = str(sources() / "model/image/samples/chelsea.jpg")
    assert terminal.run(*quick, "--samples", picture, "--sizes", "200KB", "--output", "r.json") == 0
    assert json.loads(Path("r.json").read_text())["plan"]["input_kind"] == "image"
    assert terminal.run(*quick, "--samples", "nowhere") == 2
    assert "nowhere cannot be read" in capsys.readouterr().err


def test_tensors_need_samples(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        session, "describe", lambda clients, each: deployment(variant=variant(each.name, input_kind="tensor"))
    )
    assert terminal.run("--requests", "3", "--variants", "standard", "--yes") == 2
    assert "no samples for a model that takes tensor; --samples must name" in capsys.readouterr().err


def test_asks_before_spending(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_terminal(monkeypatch, True)
    terminal.answer = False
    assert terminal.run(*QUICK, "--variants", "standard", "--output", "r.json") == 1
    assert "Nothing was measured." in capsys.readouterr().err
    assert terminal.account.sent == []
    assert list(terminal.folder.iterdir()) == []
    terminal.answer = True
    assert terminal.run(*QUICK, "--variants", "standard", "--output", "r.json") == 0
    assert terminal.questions[1].startswith("Spend about 0.0000 USD, and 5 at most?")


def test_without_a_terminal_nothing_is_spent(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_terminal(monkeypatch, False)
    assert terminal.run(*QUICK) == 2
    assert "There is no terminal to ask on whether to spend about" in capsys.readouterr().err
    assert terminal.account.sent == []


def test_does_not_start_what_may_cost_too_much(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.run(*QUICK, "--cold", "100", "--yes", "--max-usd", "1.5") == 2
    assert "USD; --max-usd allows 1.5." in capsys.readouterr().err
    assert terminal.account.sent == []
    assert list(terminal.folder.iterdir()) == []


def interrupting(terminal: Terminal, number: int) -> None:
    def react(name: str, planned: Planned) -> None:
        if planned.number == number:
            raise InterruptedBySignalError(2)

    terminal.account.react = react


def test_an_interrupted_benchmark_can_be_resumed(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    same = (*QUICK, "--variants", "standard", "--yes", "--output", "r.json")
    interrupting(terminal, 2)
    assert terminal.run(*same) == 130
    assert "--resume resumes it from r.json.journal, which holds what is complete." in capsys.readouterr().err
    assert not Path("r.json").exists()
    terminal.account.react = lambda name, planned: None
    assert terminal.run(*same) == 2
    assert "r.json.journal is of a benchmark that did not end; resume it with --resume" in capsys.readouterr().err
    assert terminal.run(*same, "--resume", "--seed", "2") == 2
    assert "is of another benchmark: seed is 1 there and 2 here." in capsys.readouterr().err
    assert terminal.run(*same, "--resume", "--local") == 2
    assert "is of another benchmark: local is False there and True here." in capsys.readouterr().err
    terminal.account.sent.clear()
    assert terminal.run(*same, "--resume") == 0
    assert [number for _, _, number in terminal.account.sent] == [2]
    assert len(json.loads(Path("r.json").read_text())["observations"]) == 3
    assert not Path("r.json.journal").exists()


def test_a_benchmark_stopped_at_its_limit_has_a_result_and_can_be_resumed(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    same = (*QUICK, "--arrival", "ramp:1-1", "--variants", "standard", "--yes", "--output", "r.json")
    terminal.account.billed_ms = 5000  # longer than was to be expected
    assert terminal.run(*same, "--max-usd", "0.0001") == 1
    assert "It stopped because" in capsys.readouterr().out
    assert json.loads(Path("r.json").read_text())["stopped"]
    assert terminal.run(*same, "--max-usd", "1", "--resume") == 0
    document = json.loads(Path("r.json").read_text())
    assert (document["stopped"], len(document["observations"])) == (None, 3)


def test_leftovers_fail_the_command_but_keep_the_result(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.account.unclean = ["2 objects are left."]
    assert terminal.run(*QUICK, "--variants", "standard", "--yes", "--output", "r.json") == 1
    assert "✗ 2 objects are left." in capsys.readouterr().err
    assert Path("r.json").exists()


def test_prints_the_most_frequent_errors(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    def react(name: str, planned: Planned) -> dict[str, Any] | None:
        error = "once \x1b[31m" if planned.number == 0 else "often"
        return {"outcome": Outcome.DEAD_LETTER, "item": {}, "error": error}

    terminal.account.react = react
    assert terminal.run(*QUICK, "--variants", "standard", "--yes", "--output", "r.json") == 0
    said = capsys.readouterr().out
    assert "standard: 3 dead letter; cold share unknown of the open loop." in said
    assert "standard, 2 times: often\nstandard, 1 times: once \N{REPLACEMENT CHARACTER}[31m\n" in said


def test_a_result_is_never_overwritten(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.json").write_text("dear")
    assert terminal.run(*QUICK, "--yes", "--output", "r.json") == 2
    assert "The result r.json exists already; name another one with --output." in capsys.readouterr().err
    assert Path("r.json").read_text() == "dear"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--variants", "tpu"], "There is no variant 'tpu'"),
        (["--arrival", "poisson:60"], "The arrivals are 'poisson:60'; the rate must be"),
        (["--requests", "0"], "There are 0 requests"),
        (["--sizes", "12"], "The size '12' is not a size"),
        (["--sizes", "900MB"], "The size 900MB is over the variants' limit of 200MB."),
        (["--samples", "gone"], "gone cannot be read: No such file or directory."),
        (["--samples", "."], "The folder . holds no audio"),
        (["--cold", "-1"], "--cold"),
        (["--max-usd", "-1"], "--max-usd"),
        (["--max-usd", "nan"], "--max-usd"),
        (["--idle", "nan"], "--idle"),
        (["--timeout", "0"], "--timeout"),
        (["--resume"], "--resume needs the --output of the benchmark to resume."),
        (["--resume", "--output", "r.json"], "There is nothing to resume: there is no journal r.json.journal."),
        (["--output", "gone/r.json"], "it must be a file in a folder that exists."),
        (["--output", "."], "it must be a file in a folder that exists."),
    ],
)
def test_a_mistake_is_one_sentence(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    assert terminal.run("--yes", *arguments) == 2
    assert named in " ".join(capsys.readouterr().err.split())
    assert terminal.account.sent == []


class LocalAws:
    """Remembers what was done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def do(*arguments: Any, **_: Any) -> Any:
            self.done.append(name)
            return ("synth", "step") if name == "begin_synth" else None

        return do


@pytest.mark.parametrize(
    ("is_running", "done"),
    [(True, ["running"]), (False, ["begin_synth", "start_emulator", "bootstrap", "deploy"])],
)
def test_uses_a_running_local_aws_or_starts_one(
    monkeypatch: pytest.MonkeyPatch, is_running: bool, done: list[str]
) -> None:
    aws = LocalAws()
    monkeypatch.setattr(session, "open_local_aws", lambda *_: contextlib.nullcontext(aws))
    monkeypatch.setattr(Workspace, "create", lambda self: None)
    monkeypatch.setattr(Emulator, "find", lambda workspace: object() if is_running else None)
    monkeypatch.setattr(session, "find_interpreter", lambda: SimpleNamespace(version="3.12"))
    with session.connect(["standard"], Console(stderr=True), local=True):
        assert aws.done == done


def test_without_the_option_no_local_aws_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "open_local_aws", None)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with session.connect(["standard"], Console(stderr=True), local=False) as clients:
        assert clients("s3").meta.config.max_pool_connections == 128
