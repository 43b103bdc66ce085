"""What the local AWS makes of a project's settings."""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from crossover.local.cdk_cli import Cdk
from crossover.local.python_environments import LAMBDA_PYTHON
from crossover.local.work import OF_AN_ACCOUNT, LocalAws, describe_python


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The context that is given to the app of a project whose cdk.json names an account and what exists there."""
    context = {"env": "123456789012/eu-west-1", "input_bucket": "recordings", "memory_mb": 2048}
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "python3 app.py", "context": context}))
    monkeypatch.chdir(tmp_path)
    found: dict[str, str] = {}

    def synthesize(context: Mapping[str, str], engine: str) -> None:
        found.update(context)

    aws: Any = SimpleNamespace(
        cdk=SimpleNamespace(synthesize=synthesize), steps=SimpleNamespace(step=lambda name: name), engine_name=""
    )
    LocalAws.begin_synth(cast(LocalAws, aws), ["standard"], python=LAMBDA_PYTHON)
    return found


def test_what_exists_in_an_account_only_is_left_out(given: dict[str, str]) -> None:
    assert given == {"variants": "standard", "env": "none", "input_bucket": "none"}


def test_each_of_these_settings_exists_and_can_be_none() -> None:
    from stacks.settings import Settings

    empty = Settings(**dict.fromkeys(OF_AN_ACCOUNT, "none"))  # type: ignore[arg-type]
    assert [getattr(empty, name) or None for name in OF_AN_ACCOUNT] == [None] * len(OF_AN_ACCOUNT)


def test_the_code_of_a_function_for_arm64_is_that_for_this_machine(tmp_path: Path) -> None:
    given: dict[str, Any] = {}
    cdk: Any = SimpleNamespace(workspace=SimpleNamespace(home=tmp_path, assembly=tmp_path), commands=SimpleNamespace())
    cdk.commands.start = lambda *_, environment, **__: given.update(json.loads(environment["CDK_CONTEXT_JSON"]))
    Cdk.synthesize(cast(Cdk, cdk), {})
    assert "local_python" not in given
    Cdk.synthesize(cast(Cdk, cdk), {"architecture": "arm64"})
    assert (given["architecture"], given["local_python"]) == ("arm64", LAMBDA_PYTHON)
    Cdk.synthesize(cast(Cdk, cdk), {"architecture": "arm64", "local_python": "3.11"})
    assert given["local_python"] == "3.11"


def test_the_local_aws_says_on_what_processor_functions_for_arm64_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    for architecture, sentence in (
        ("x86_64", "The functions run on Python 3.12, as on AWS."),
        ("arm64", "The functions run on Python 3.12 and x86_64; on AWS they run on arm64."),
    ):
        (tmp_path / "cdk.json").write_text(json.dumps({"context": {"architecture": architecture}}))
        assert describe_python("3.12") == sentence
