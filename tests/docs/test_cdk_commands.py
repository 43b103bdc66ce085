"""Every `npx cdk ...` that is shown is a command that the real CDK accepts: only credentials are missing.

It meets an assembly with the stacks of its app, and runs in one process with all the others.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from crossover.cdk import VARIANTS
from crossover.local.workspace import node, node_modules
from stacks.settings import Settings
from tests.docs.pages import ROOT, code
from tests.docs.shown import SHOWN, SHOWN_PAGES

APP = [*(variant.stack_id for variant in VARIANTS.values()), "Comparison"]
OWN_APP = ["Recordings"]  # examples/own_cdk_app
COMMANDS = [command for command in SHOWN if command.program == "npx"]
WRONG = {
    "deploy": "MultipleStacksWithoutSelector",
    "deploy Gone": "NoStacksMatched",
    "deploi Standard": "Usage",
    "deploy Standard --forze": "Usage",
    "gc": "UnstableGc",
}
# What is left to fail: no credentials, and no terminal on which to confirm. A rollback does not say which.
ACCEPTED = ("none", "UnresolvedAccount", "TtyNotAttached", "RollbackFailed")


def write_assembly(folder: Path, stacks: list[str]) -> Path:
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": "template.json"},
    }
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": dict.fromkeys(stacks, stack)}))
    (folder / "template.json").write_text('{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}')
    return folder


def outcomes(folder: Path, commands: list[list[str]]) -> list[tuple[str, str]]:
    """How each command ends: the name of the error, or none, and its message."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    ended = subprocess.run(
        [node(), ROOT / "tests/docs/run_cdk.js", node_modules(), json.dumps(commands)],
        cwd=folder,
        env={
            **environment,
            **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull),
            **dict.fromkeys(("AWS_EC2_METADATA_DISABLED", "CDK_DISABLE_CLI_TELEMETRY"), "true"),
            **dict.fromkeys(("HOME", "CDK_HOME"), str(folder)),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(error or ("none", "")) for error in json.loads(ended.stderr.splitlines()[-1])]


@pytest.mark.slow
def test_the_cdk_accepts_every_command_and_would_refuse_a_wrong_one(tmp_path: Path) -> None:
    app, own_app = write_assembly(tmp_path / "app", APP), write_assembly(tmp_path / "own", OWN_APP)
    assert all(command.words[1] == "cdk" for command in COMMANDS)
    commands = {
        **{
            str(command): [
                *("Standard" if word == "X" else word for word in command.words[2:]),  # a message names some stack
                f"--app={own_app if 'own_cdk_app' in command.page.parts else app}",
            ]
            for command in COMMANDS
        },
        **{command: [*command.split(), f"--app={app}"] for command in WRONG},
    }
    found = dict(zip(commands, outcomes(tmp_path, list(commands.values())), strict=True))
    assert {command: found[command][0] for command in WRONG} == WRONG
    assert {text: error for text, error in found.items() if text not in WRONG and error[0] not in ACCEPTED} == {}


CONTEXT = sorted(
    {
        found
        for page in SHOWN_PAGES
        for piece in code(page.read_text())
        for found in re.findall(r"(?<!\S)-c (\w+)=(\S+)", piece)
        if found != ("key", "value")
    }
)


@pytest.mark.parametrize(("key", "value"), CONTEXT)
def test_a_setting_that_is_shown_is_read(key: str, value: str) -> None:
    setting: dict[str, Any] = {key: value}  # from the command line every value is a string
    Settings(**setting)
