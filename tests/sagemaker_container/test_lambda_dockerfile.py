"""Properties of a function's image that can be checked without building it."""

import re

from .conftest import ROOT

DOCKERFILE = (ROOT / "sagemaker_container/lambda.Dockerfile").read_text().replace("\\\n", " ")
INSTRUCTIONS = re.findall(r"^([A-Z]+) (.*)$", DOCKERFILE, flags=re.MULTILINE)


def values(instruction: str) -> list[str]:
    return [value for name, value in INSTRUCTIONS if name == instruction]


def test_every_stage_is_on_awss_base_for_python_3_12() -> None:
    assert values("FROM") == ["public.ecr.aws/lambda/python:3.12 AS base", "base AS build", "base"]


def test_what_libraries_write_goes_to_tmp() -> None:
    [variables] = values("ENV")
    folders = dict(pair.split("=") for pair in variables.split())

    assert {"HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR"} <= set(folders)
    assert all(folder == "/tmp" or folder.startswith("/tmp/") for folder in folders.values())


def test_the_image_keeps_lambdas_user_and_entry_point() -> None:
    assert values("USER") == values("ENTRYPOINT") == values("VOLUME") == values("ADD") == []


def test_every_user_can_read_the_model() -> None:
    assert "chmod -R a+rX /model" in values("RUN")  # what the recipe writes is readable anyway
