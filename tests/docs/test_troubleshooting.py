"""The messages that docs/troubleshooting.md quotes are those that the code prints."""

import re

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text()
# What AWS, the CDK and others print.
FOREIGN = (
    "SSM parameter",
    "'MemorySize'",
    "ResourceLimitExceeded",
    "Unable to validate the following destination configurations",
    "mount target already exists",
    "Invalid alias configuration for Provisioned Concurrency",
    "… cannot be deleted while TerminationProtection",
)
SOURCES = [
    path
    for folder in ("crossover", "stacks", "lambda_src", "sagemaker_container", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
] + [ROOT / "Makefile"]


def messages() -> list[str]:
    """In bold, as code, and a sentence: a setting or a program alone is none."""
    quoted = [
        code for bold in re.findall(r"^\*\*(.+?)\*\*", PAGE, re.MULTILINE) for code in re.findall(r"`([^`]+)`", bold)
    ]
    return [text for text in quoted if " " in text and not text.startswith(FOREIGN)]


@pytest.fixture(scope="module")
def literals() -> str:
    """All sources, with the pieces of a string that goes over several lines put together."""
    return "\n".join(re.sub(r'"\s*\n\s*f?"', "", path.read_text()) for path in SOURCES)


@pytest.mark.parametrize("message", messages())
def test_a_message_is_in_the_code(message: str, literals: str) -> None:
    for part in message.split("…"):
        assert part.strip() in literals, f"nothing prints {part.strip()!r}"


def test_there_are_messages() -> None:
    assert len(messages()) > 10
