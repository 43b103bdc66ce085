"""The project that a command works on: what its cdk.json says."""

import json
import shlex
import sys
from pathlib import Path
from typing import TypedDict

from crossover import paths
from crossover.errors import UsageError, reason_of
from crossover.inputs import split_names, variant_names

DEFAULT_PREFIX = "Crossover"
DEFAULT_MODEL = "model/model.onnx"
PREFIX_HELP = f"The stack_prefix of the stacks; by default that of the project's cdk.json, else {DEFAULT_PREFIX}."


class Context(TypedDict, total=False):
    """The settings that a command reads; beside them stand the app's other settings, and the CDK's own flags."""

    stack_prefix: str
    variants: str | list[str] | None
    model_path: str
    bundling: str
    architecture: str


class CdkJson(TypedDict, total=False):
    """A project's cdk.json, as far as a command reads it."""

    app: str
    context: Context


def context() -> Context:
    """The context in cdk.json: all settings and flags.

    Raises:
        CrossoverError: there is no project, or its cdk.json cannot be read.
    """
    return _cdk_json().get("context", Context())


def app_command() -> list[str]:
    """The command that synthesizes the app. Python is the one that runs this command, which has the constructs.

    Raises:
        CrossoverError: there is no project, its cdk.json cannot be read or names no app.
    """
    app = _cdk_json().get("app")
    if not isinstance(app, str) or not app.strip():
        raise UsageError(f"{paths.project() / 'cdk.json'} names no app; `app` must be a command like python3 app.py.")
    try:
        program, *arguments = shlex.split(app)
    except ValueError as error:
        where = paths.project() / "cdk.json"
        raise UsageError(f"The app in {where} is {app!r}; it must be a command: {error}.") from error
    return [sys.executable if program in ("python", "python3") else program, *arguments]


def stack_prefix() -> str:
    """The setting stack_prefix of the project; its default where there is no project.

    Raises:
        UsageError: the project's cdk.json cannot be read.
    """
    return DEFAULT_PREFIX if paths.find_project() is None else context().get("stack_prefix", DEFAULT_PREFIX)


def bundling() -> str:
    """The setting bundling of the project: local or docker.

    Raises:
        CrossoverError: there is no project, or its cdk.json cannot be read.
    """
    return context().get("bundling", "local")


def architecture() -> str:
    """The setting architecture of the project: x86_64 or arm64.

    Raises:
        CrossoverError: there is no project, or its cdk.json cannot be read.
    """
    return context().get("architecture", "x86_64")


def model_path() -> Path:
    """The setting model_path of the project: the file may be missing, where an app reads other settings.

    Raises:
        CrossoverError: there is no project, or its cdk.json cannot be read.
    """
    return paths.project() / context().get("model_path", DEFAULT_MODEL)


def known_variants() -> list[str]:
    """The variants that cdk.json names: by default those of the settings' own default, and for `all` every one.

    Raises:
        CrossoverError: there is no project, or its cdk.json cannot be read.
    """
    variants = context().get("variants")
    if variants is None:
        return _by_default()
    if variants == "all":
        return _registered()
    return [name.strip() for name in variants.split(",")] if isinstance(variants, str) else list(variants)


def choose_variants(names: str) -> list[str]:
    """The variants with these names, separated by commas or spaces; those of cdk.json where there are none.

    `all` means every variant that exists.

    Raises:
        UsageError: a name is neither in cdk.json nor in the registry of variants.
        CrossoverError: there is no project, or its cdk.json cannot be read.
    """
    if names == "all":
        return _registered()
    known = known_variants()
    if not set(split_names(names)) <= set(known):
        known += [name for name in _registered() if name not in known]
    return variant_names(names, allowed=known)


def registered_variants(names: str) -> list[str]:
    """The variants with these names, separated by commas or spaces; none where there are no names. Needs no project.

    Raises:
        UsageError: a name is not in the registry of variants.
    """
    return variant_names(names, allowed=_registered()) if split_names(names) else []


def _registered() -> list[str]:
    """The names of the deployable variants, by the bills' registry: the constructs' would start Node."""
    from crossover.cost.variants import deployable

    return list(deployable())


def _by_default() -> list[str]:
    from crossover.cost.variants import by_default

    return list(by_default())


def _cdk_json() -> CdkJson:
    path = paths.project() / "cdk.json"
    try:
        content: CdkJson = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {reason_of(error)}.") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} must hold a JSON object, but it holds a {type(content).__name__}.")
    _check(content.get("context", {}), path)
    return content


def _check(context: object, path: Path) -> None:
    if not isinstance(context, dict):
        raise UsageError(f"The context in {path} is {context!r}; it must be a JSON object.")
    prefix, variants = context.get("stack_prefix", DEFAULT_PREFIX), context.get("variants")
    if not isinstance(prefix, str) or not prefix:
        raise UsageError(f"The stack_prefix in {path} is {prefix!r}; it must be a text that is not empty.")
    names = variants if isinstance(variants, list) else [variants or ""]
    if not all(isinstance(name, str) for name in names):
        must = "they must be a list of names, or names separated by commas"
        raise UsageError(f"The variants in {path} are {variants!r}; {must}.")
