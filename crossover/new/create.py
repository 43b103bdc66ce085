"""Checks what the user asked for, then writes the project.

A project is the package's own app: app.py, cdk.json, stacks/ and the Node packages are copies of `crossover/sources`.
What only a new project has is in template/.
"""

import json
import re
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any, TypedDict

from crossover.cost.variants import by_default, deployable
from crossover.errors import UsageError
from crossover.inputs import variant_names
from crossover.model.contract import ModelArtifactError, check_model
from crossover.paths import sources
from crossover.project import CdkJson
from crossover.published_models import DEFAULT, MODELS, model_path

TEMPLATE = Path(__file__).with_name("template")
COPIED = ("app.py", "stacks")
MODEL = Path("model/model.onnx")
NAME = r"[A-Za-z][A-Za-z0-9-]{0,63}"  # a stack_prefix


class PackageJson(TypedDict):
    """package.json or its lock; the rest is copied."""

    name: str


def create(folder: Path, *, model: str = DEFAULT, variants: str, name: str) -> str:
    """Write a project.

    Args:
        folder: a new or an empty one.
        model: name of a published model, or the path of an ONNX file with its contract.
        variants: names separated by commas; empty takes those of the default.
        name: prefix of the stacks' names; empty makes one from the folder's name.

    Returns:
        What was written, in one line, and a line for each kind of file that the model fails on.

    Raises:
        UsageError: the folder is not empty, or there is no such variant, name or model. Nothing is written then. Or the
            folder cannot be written.
    """
    names = variant_names(variants or ",".join(by_default()), allowed=deployable())
    name = _stack_prefix(folder, name)
    source = model_path(model)
    documents = MODELS[model].document_paths if model in MODELS else ()
    try:
        checked = check_model(source)
    except ModelArtifactError as error:
        raise UsageError(str(error)) from None
    values = {
        "name": name,
        "variants": ", ".join(names),
        "model": f"{checked.contract.name} {checked.contract.version}",
        "release": version("crossover-inference"),
    }
    try:
        _require_empty(folder)
        _write(folder, source, documents=documents, values=values, variants=names)
    except OSError as error:
        raise UsageError(f"The project cannot be written to {folder}: {error.strerror}.") from error
    written = f"{folder}: stacks {name}-..., variants {values['variants']}, model {values['model']}."
    return "\n".join([written, *(f"Warning: {warning}" for warning in checked.warnings)])


def _require_empty(folder: Path) -> None:
    if not folder.exists():
        return
    content = sorted(folder.iterdir()) if folder.is_dir() else None
    if content != []:
        holds = f"holds {content[0].name}" if content else "is a file"
        raise UsageError(f"{folder} must be a new or an empty folder, but it {holds}.")


def _stack_prefix(folder: Path, name: str) -> str:
    if not name:  # bird_songs becomes Bird-Songs
        words = re.findall(r"[A-Za-z0-9]+", folder.resolve().name)
        name = "-".join(word[0].upper() + word[1:] for word in words)
    if not re.fullmatch(NAME, name):
        raise UsageError(f"The name is {name!r}; --name must be 1 to 64 letters, digits and hyphens, a letter first.")
    return name


def _write(
    folder: Path, model: Path, *, documents: Sequence[Path], values: dict[str, str], variants: Sequence[str]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for entry in COPIED:
        source = sources() / entry
        if source.is_dir():
            shutil.copytree(source, folder / entry, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, folder / entry)
    for source in sorted(TEMPLATE.rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            target = folder / _renamed(source.relative_to(TEMPLATE))
            target.parent.mkdir(exist_ok=True)
            text = source.read_text(encoding="utf-8")
            if source.suffix in (".md", ".txt"):
                text = Template(text).substitute(values)
            target.write_text(text, encoding="utf-8")
    (folder / MODEL).parent.mkdir()
    shutil.copyfile(model, folder / MODEL)
    for document in documents:
        shutil.copy(document, folder / MODEL.parent)
    _write_json(folder / "cdk.json", _cdk_json(values["name"], variants))
    for entry in ("package.json", "package-lock.json"):
        _write_json(folder / entry, _package_json(entry, values["name"]))


def _renamed(path: Path) -> Path:
    """A .gitignore in the template would apply to the template."""
    return path.with_name(".gitignore") if path.name == "gitignore" else path


def _cdk_json(name: str, variants: Sequence[str]) -> CdkJson:
    content: CdkJson = _read_json("cdk.json")
    content["context"] |= {"variants": ",".join(variants), "stack_prefix": name, "model_path": MODEL.as_posix()}
    return content


def _package_json(entry: str, name: str) -> PackageJson:
    content: PackageJson = _read_json(entry)
    content["name"] = name.lower()
    return content


def _read_json(entry: str) -> Any:
    return json.loads((sources() / entry).read_text(encoding="utf-8"))


def _write_json(path: Path, content: CdkJson | PackageJson) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
