"""What is in the wheel and in the source distribution."""

import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.package.distributions import ROOT, build

pytestmark = pytest.mark.slow

SOURCE_FOLDERS = ("stacks", "lambda_src", "sagemaker_container", "model/samples", "model/image/samples")
SOURCE_FILES = (
    *("app.py", "cdk.json", "package.json", "package-lock.json", "requirements.txt"),
    *("model/model.onnx", "model/MODEL_CARD.md", "model/LICENSE-YAMNET"),
    *("model/image/model.onnx", "model/image/MODEL_CARD.md", "model/image/LICENSE-EFFICIENTNET-LITE"),
)
MAX_BYTES = 14 * 10**6  # 12.3 MB of it are the models, their samples and plotly


def files_in(folder: str) -> set[str]:
    """The files of a folder of the repository, without bytecode."""
    paths = (ROOT / folder).rglob("*")
    return {str(path.relative_to(ROOT)) for path in paths if path.is_file() and "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> dict[str, list[str]]:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        message = message_from_bytes(archive.read(name))
    return {key: message.get_all(key, []) for key in message}


def test_only_crossover_goes_into_site_packages(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names} == {"crossover", "crossover_inference-0.2.0.dist-info"}


def test_the_wheel_holds_the_package_and_the_sources_and_nothing_else(names: set[str]) -> None:
    sources = set().union(*map(files_in, SOURCE_FOLDERS), SOURCE_FILES)
    expected = files_in("crossover") | {f"crossover/sources/{name}" for name in sources}
    assert {name for name in names if name.startswith("crossover/")} == expected


def test_the_wheel_marks_its_types_and_brings_the_licences(names: set[str]) -> None:
    licences = {name.partition("licenses/")[2] for name in names if "dist-info/licenses/" in name}
    assert "crossover/py.typed" in names
    models = {"model/LICENSE-YAMNET", "model/image/LICENSE-EFFICIENTNET-LITE"}
    assert licences == {"LICENSE", *models, "crossover/report/vendor/LICENSE-plotly"}


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_BYTES


def test_the_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    again = build("wheel", tmp_path / "wheel", source=tmp_path / "crossover_inference-0.2.0")
    assert again.read_bytes() == wheel.read_bytes()


def test_dependencies_are_ranges(metadata: dict[str, list[str]]) -> None:
    requirements = [Requirement(text) for text in metadata["Requires-Dist"]]
    others = [each for each in requirements if each.name != "crossover-inference"]
    assert others
    for each in others:
        assert {clause.operator for clause in each.specifier} <= {">=", "<"}, each
        assert ">=" in {clause.operator for clause in each.specifier}, each


def test_the_command_line_alone_needs_no_cdk(metadata: dict[str, list[str]]) -> None:
    plain = {Requirement(text).name for text in metadata["Requires-Dist"] if "extra" not in text}
    assert plain == {"typer", "rich", "boto3", "numpy"}
