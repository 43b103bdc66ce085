"""`crossover doctor` on the command line."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from crossover import aws as crossover_aws
from crossover import cli
from crossover.doctor.checks import least_policy
from tests.crossover.doctor.stubs import Aws
from tests.crossover.doctor.test_plan import project as project
from tests.crossover.doctor.test_plan import write_assembly


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], aws: Aws, tmp_path: Path) -> Any:
    """Runs the command against an account that allows the caller to see nothing but who it is."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setattr(crossover_aws, "open_clients", lambda **_: aws)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, account: str = "123456789012") -> tuple[int, str, str]:
        aws.answers("sts", "get_caller_identity", {"Account": account, "Arn": "arn:aws:iam::1:user/me"})
        for service, method in (
            ("ssm", "get_parameter"),
            ("ecr", "describe_images"),
            ("lambda", "get_account_settings"),
            *[("cloudformation", "describe_stacks")] * 3,
        ):
            aws.refuses(service, method, "AccessDeniedException")
        monkeypatch.setattr(sys, "argv", ["crossover", "doctor", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, output.out, output.err

    return command


@pytest.fixture
def no_builder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CDK_DOCKER", str(tmp_path / "gone"))


@pytest.mark.usefixtures("no_builder")
def test_a_table_and_a_sentence_say_what_fails(run: Any, tmp_path: Path) -> None:
    code, output, errors = run("--app", str(write_assembly(tmp_path / "cdk.out")))
    assert (code, errors) == (1, "")
    assert "credentials" in output
    assert re.search(r"image +│ fails ", output)
    assert output.splitlines()[-1].startswith("`cdk deploy` would fail: ")


def test_json_has_every_finding(run: Any, tmp_path: Path) -> None:
    code, output, _ = run("Two", "--json", "--app", str(write_assembly(tmp_path / "cdk.out")))
    report = json.loads(output)
    assert code == 0
    assert (report["account"], report["region"], report["stacks"], report["fails"]) == (
        "123456789012",
        "eu-west-1",
        ["Mine-Two"],
        False,
    )
    found = {entry["check"]: (entry["status"], entry["found"]) for entry in report["checks"]}
    assert found["stacks"] == ("unknown", "could not be checked: needs cloudformation:DescribeStacks")
    assert found["cost"][0] == "ok"


@pytest.mark.parametrize(("outputs", "status"), [({}, "warning"), ({"Protection": {"Value": ""}}, "fails")])
def test_another_account_than_the_stacks_is_said(run: Any, tmp_path: Path, outputs: Any, status: str) -> None:
    assembly = write_assembly(tmp_path / "cdk.out")
    template = assembly / "One.template.json"
    template.write_text(json.dumps(json.loads(template.read_text()) | {"Outputs": outputs}))
    _, output, _ = run("--json", "--app", str(assembly), account="210987654321")
    found = {entry["check"]: entry["status"] for entry in json.loads(output)["checks"]}
    assert found["account and region"] == status


def test_an_app_that_cannot_be_synthesized_fails(run: Any, project: Path) -> None:
    code, output, errors = run("-c", "memory_mb=1", "--json")
    *_, finding = json.loads(output)["checks"]
    assert (code, errors) == (1, "")
    assert (finding["check"], finding["status"]) == ("app", "fails")
    assert finding["found"] == "it cannot be synthesized: The setting memory_mb is 1."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-c", "memory_mb"], "The value of --context is 'memory_mb'; it must be KEY=VALUE."),
        (["--app", "gone"], "gone holds no cloud assembly, such as `cdk synth` writes: No such file or directory."),
    ],
)
def test_a_mistake_is_one_sentence(run: Any, arguments: list[str], message: str) -> None:
    assert run(*arguments) == (2, "", f"crossover: {message}\n")


def test_the_help_has_the_least_policy(run: Any) -> None:
    code, output, _ = run("--help")
    assert code == 0
    for action in least_policy():
        assert action in output
