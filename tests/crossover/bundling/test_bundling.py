"""The content of a bundle, when it is built, and what CDK gets; with tiny wheels built here, so without a network."""

import base64
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from uv import find_uv_bin

from crossover.bundling import HEALTH_CHECK, PROXY, find_python, inference_bundle
from crossover.bundling import cache as bundle_cache
from crossover.bundling import recipe as bundle_recipe
from crossover.bundling.cache import build_bundle, source_hash
from crossover.bundling.image_context import write_image_context
from crossover.bundling.recipe import Bundle, BundlingError, Size
from crossover.cdk import bundled_code as bundling
from crossover.cdk.bundled_code import bundled_code

INFERENCE = inference_bundle("audio")
THIS_VERSION = "{}.{}".format(*sys.version_info[:2])
SERVICE = {
    "metadata": {"endpointPrefix": "s3"},
    "documentation": "long",
    "shapes": {"Part": {"members": {"documentation": {"shape": "Text"}}}},
}
ENDPOINTS = {"version": 3, "partitions": [{"partition": "aws", "services": {"s3": {}, "ec2": {}}}]}
BOTOCORE = {
    "botocore/__init__.py": "def call():\n    return 'called'\n",
    "botocore/data/s3/2006-03-01/service-2.json": json.dumps(SERVICE),
    "botocore/data/s3/2006-03-01/examples-1.json": "{}",
    "botocore/data/ec2/2016-11-15/service-2.json": "{}",
    "botocore/data/endpoints.json": json.dumps(ENDPOINTS),
    "botocore/tests/test_call.py": "assert True\n",
    "botocore-1.dist-info/licenses/LICENSE": "Apache",
}
HANDLER = "import botocore\n\ndef handler(event, context):\n    return botocore.call()\n"


def write_wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """A wheel of version 1; returns its line for a lock file."""
    files = {
        **files,
        f"{name}-1.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{name}-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-1.dist-info/RECORD"
    lines = [f"{path},sha256={_base64_sha256(text)},{len(text)}" for path, text in files.items()]
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, text in {**files, record: "\n".join([*lines, f"{record},,"])}.items():
            wheel.writestr(inner, text)
    return f"{name}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def _base64_sha256(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project in place of this one: its lambda_src with a lock of tiny wheels, and an empty cache."""
    wheels = tmp_path / "wheelhouse"
    sources = tmp_path / "lambda_src"
    for folder in (wheels, sources / "inference"):
        folder.mkdir(parents=True)
    lock = write_wheel(wheels, "botocore", BOTOCORE) + write_wheel(wheels, "flatbuffers", {"flatbuffers/a.py": ""})
    for name in ("requirements-inference.txt", "requirements-proxy.txt"):
        (sources / name).write_text(lock)
    (sources / "requirements-audio.txt").write_text("")
    for handler in (*INFERENCE.handlers, *PROXY.handlers):
        (sources / f"{handler}.py").write_text(HANDLER)
    (sources / "health_check_handler.py").write_text("import boto3\n")
    (sources / "inference/model.py").write_text("import numpy\n")
    (sources / "inference/input_error.py").write_text("class InputError(Exception):\n    pass\n")
    monkeypatch.setattr(bundle_cache, "SOURCES", sources)
    monkeypatch.setattr(bundling, "SOURCES", sources)
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bundle_cache, "_uv_install", lambda *_: offline_install(wheels))
    return tmp_path


def offline_install(wheels: Path) -> list[str]:
    return [find_uv_bin(), "pip", "install", "--python", sys.executable, "--no-index", "--find-links", str(wheels)]


def build(bundle: Bundle = INFERENCE) -> Path:
    return build_bundle(bundle, python_version=THIS_VERSION)


def hash_of(bundle: Bundle = INFERENCE, **changes: object) -> str:
    made_for = {"python_version": "3.12", "platform": "x86_64-manylinux_2_28", "with_bytecode": True, **changes}
    return source_hash(bundle, **made_for)  # type: ignore[arg-type]


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


# --- the hash: what makes a new bundle, and what does not


@pytest.mark.parametrize(
    "change",
    [{"python_version": "3.13"}, {"platform": "macosx-14.0-arm64"}, {"with_bytecode": False}],
)
def test_the_hash_depends_on_what_the_bundle_is_made_for(project: Path, change: dict[str, Any]) -> None:
    assert hash_of(**change) != hash_of()


@pytest.mark.parametrize(
    "file", ["standard_handler.py", "inference/input_error.py", "inference/new.py", "requirements-inference.txt"]
)
def test_the_hash_changes_with_a_source_and_with_the_lock(project: Path, file: str) -> None:
    before = hash_of()
    with (project / "lambda_src" / file).open("a") as source:
        source.write("# changed\n")
    assert hash_of() != before


def test_the_hash_changes_when_a_file_is_renamed(project: Path) -> None:
    before = hash_of()
    (project / "lambda_src/inference/input_error.py").rename(project / "lambda_src/inference/mistakes.py")
    assert hash_of() != before


def test_the_hash_changes_with_the_recipe(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_of()
    changed = project / "bundle_recipe.py"
    changed.write_text(Path(bundle_recipe.__file__).read_text() + "# changed\n")
    monkeypatch.setattr(bundle_recipe, "__file__", str(changed))
    assert hash_of() != before


@pytest.mark.parametrize(
    "file", ["inference/__pycache__/input_error.cpython-312.pyc", ".DS_Store", "requirements-inference.in"]
)
def test_the_hash_ignores_what_is_not_bundled(project: Path, file: str) -> None:
    before = hash_of()
    path = project / "lambda_src" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("something")
    assert hash_of() == before


def test_a_change_in_one_bundle_leaves_the_other_bundle_as_it_is(project: Path) -> None:
    inference, proxy = hash_of(INFERENCE), hash_of(PROXY)
    (project / "lambda_src/inference/model.py").write_text("import soundfile\n")
    assert hash_of(PROXY) == proxy
    assert hash_of(INFERENCE) != inference
    inference = hash_of(INFERENCE)
    (project / "lambda_src/sagemaker_trigger_handler.py").write_text("")
    assert hash_of(INFERENCE) == inference


# --- the locks


@pytest.mark.parametrize("name", [*INFERENCE.locks, *PROXY.locks])
def test_a_lock_holds_the_pins_of_its_in_file_each_with_hashes_and_no_url(name: str) -> None:
    path = bundle_cache.SOURCES / name
    lock = path.read_text()
    assert set(pins(path.with_suffix(".in").read_text())) <= set(pins(lock))
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", lock.strip()))
    assert "://" not in lock and "index" not in lock


def test_the_unit_tests_run_on_the_versions_that_are_bundled() -> None:
    locks = bundle_cache.SOURCES.glob("requirements-*.in")
    wanted = dict(pin for lock in locks for pin in pins(lock.read_text()))
    assert {name: version(name) for name in wanted} == wanted


def pins(requirements: str) -> list[tuple[str, str]]:
    return re.findall(r"^([\w-]+)==(\S+)", requirements, re.MULTILINE)


# --- the content


def test_a_bundle_holds_the_sources_and_wheels_without_what_is_never_loaded(project: Path) -> None:
    tag = sys.implementation.cache_tag
    assert set(content(build())) == {
        *(f"{handler}.py" for handler in INFERENCE.handlers),
        *(f"__pycache__/{handler}.{tag}.pyc" for handler in INFERENCE.handlers),
        "inference/model.py",
        f"inference/__pycache__/model.{tag}.pyc",
        "inference/input_error.py",
        f"inference/__pycache__/input_error.{tag}.pyc",
        "botocore/__init__.pyc",
        "botocore/data/endpoints.json",
        "botocore/data/s3/2006-03-01/service-2.json",
        "botocore-1.dist-info/METADATA",
        "botocore-1.dist-info/licenses/LICENSE",
    }


def test_the_proxy_bundle_leaves_out_the_modules_that_need_numpy(project: Path) -> None:
    ours = {path for path in content(build(PROXY)) if path.endswith(".py")}
    assert ours == {"sagemaker_trigger_handler.py", "inference/input_error.py"}


def test_the_health_check_goes_into_its_own_bundle_only_without_wheels(project: Path) -> None:
    inference, proxy, own = (hash_of(bundle) for bundle in (INFERENCE, PROXY, HEALTH_CHECK))
    (project / "lambda_src/health_check_handler.py").write_text("import boto3, json\n")
    assert hash_of(INFERENCE) == inference
    assert hash_of(PROXY) == proxy
    assert hash_of(HEALTH_CHECK) != own
    tag = sys.implementation.cache_tag
    assert set(content(build(HEALTH_CHECK))) == {
        "health_check_handler.py",
        f"__pycache__/health_check_handler.{tag}.pyc",
    }


def test_a_handler_that_no_bundle_holds_gets_one_and_leaves_the_others_as_they_are(project: Path) -> None:
    before = hash_of(INFERENCE)
    (project / "lambda_src/third_handler.py").write_text(HANDLER)
    third = INFERENCE.including("third_handler")

    assert hash_of(INFERENCE) == before != hash_of(third)
    assert "third_handler.py" in content(build(third))
    assert "third_handler.py" not in content(build(INFERENCE))
    assert INFERENCE.including("standard_handler") is INFERENCE


def test_a_handler_that_does_not_exist_is_named(project: Path) -> None:
    with pytest.raises(BundlingError, match=r"^The inference-audio bundle needs the handler fourth_handler\.py, "):
        build(INFERENCE.including("fourth_handler"))


def test_a_bundle_may_leave_out_a_whole_folder(project: Path) -> None:
    (project / "lambda_src/inference/inputs").mkdir()
    (project / "lambda_src/inference/inputs/audio.py").touch()
    bundle = replace(INFERENCE, leaves_out=("inference/inputs", "inference/model.py"))

    files = {path.relative_to(project / "lambda_src").as_posix() for path in bundle.files(project / "lambda_src")}
    assert files == {*(f"{handler}.py" for handler in INFERENCE.handlers), "inference/input_error.py"}


def test_service_descriptions_lose_their_texts_and_nothing_else(project: Path) -> None:
    data = build() / "botocore/data"
    service = json.loads((data / "s3/2006-03-01/service-2.json").read_text())
    assert service == {**SERVICE, "documentation": ""}
    endpoints = json.loads((data / "endpoints.json").read_text())
    assert endpoints == {"version": 3, "partitions": [{"partition": "aws", "services": {"s3": {}}}]}


def test_bytecode_is_used_unchecked_and_names_no_folder_of_this_machine(project: Path) -> None:
    bundle = build()
    for path in bundle.rglob("*.pyc"):
        assert path.read_bytes()[4:8] == b"\x01\x00\x00\x00"  # PEP 552: hash-based, not checked
    assert not [path for path, data in content(bundle).items() if str(project).encode() in data]
    assert b"/var/task/botocore/__init__.py" in (bundle / "botocore/__init__.pyc").read_bytes()


def test_the_bundle_runs(project: Path) -> None:
    question = "import sys; sys.path.insert(0, '.'); import standard_handler; print(standard_handler.handler({}, None))"
    answer = subprocess.run([sys.executable, "-I", "-S", "-c", question], cwd=build(), capture_output=True, text=True)
    assert (answer.stdout, answer.stderr) == ("called\n", "")


def test_modes_and_times_are_the_same_for_every_file(project: Path) -> None:
    bundle = build()
    files = [path.stat() for path in bundle.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(file.st_mode) for file in files} == {0o644}
    assert {file.st_mtime for file in files} == {315532800.0}
    assert {stat.S_IMODE(path.stat().st_mode) for path in bundle.rglob("*") if path.is_dir()} == {0o755}


def test_two_builds_are_equal_byte_for_byte(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build()
    monkeypatch.setenv("CROSSOVER_CACHE", str(project / "another/deeper/cache"))
    second = build()
    assert first != second
    assert content(first) == content(second)


def test_a_wheel_that_is_not_the_locked_one_is_refused(project: Path) -> None:
    write_wheel(project / "wheelhouse", "botocore", {**BOTOCORE, "botocore/__init__.py": "tampered = True\n"})
    with pytest.raises(BundlingError, match=r"requirements-audio\.txt could not be installed:.*Hash mismatch"):
        build()


def test_a_source_that_does_not_compile_is_named(project: Path) -> None:
    (project / "lambda_src/standard_handler.py").write_text("def handler(:\n")
    with pytest.raises(BundlingError, match=r"could not compile the bundle:.*standard_handler\.py"):
        build()


def test_a_bundle_larger_than_lambda_takes_is_refused_in_one_sentence(project: Path) -> None:
    (project / "lambda_src/inference/large.bin").write_bytes(bytes(2_000_000))
    sentence = r"^The inference-audio bundle is too large: 2\.0 MB unzipped, .*; Lambda takes 1\.0 MB unzipped\.$"
    with pytest.raises(BundlingError, match=sentence):
        build(replace(INFERENCE, max_bytes=1_000_000))
    assert not list(project.glob("cache/bundles/*"))


def test_an_image_has_lambdas_limit_of_images(tmp_path: Path) -> None:
    write_image_context(tmp_path, INFERENCE, model=None)
    limits = {name: json.loads((tmp_path / f"{name}.json").read_text())["max_bytes"] for name in ("wheels", "handlers")}
    assert limits == {"wheels": 10 * 1024**3, "handlers": 10 * 1024**3}
    assert INFERENCE.max_bytes == 250 * 1024**2


# --- when it is made


def test_a_bundle_is_made_once_and_states_its_size(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = build()
    line = capsys.readouterr().err
    assert line.startswith(f"Bundling inference-audio for Python {THIS_VERSION} on x86_64-manylinux_2_28 ... 0.0 MB")
    assert line.count("\n") == 1
    assert build() == first
    assert capsys.readouterr().err == ""


def test_an_interrupted_build_leaves_no_partial_bundle(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(bundle_recipe, "_compile", interrupted)
        build()
    assert not list(project.glob("cache/bundles/*"))
    assert "botocore/__init__.pyc" in content(build())


def test_two_processes_may_make_the_same_bundle_at_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def beaten(bundle: Bundle, folder: Path, **_: object) -> Size:
        name = hash_of(python_version=THIS_VERSION)[:20]
        (project / f"cache/bundles/{INFERENCE.name}-{name}").mkdir()
        (project / f"cache/bundles/{INFERENCE.name}-{name}/by_the_other.py").touch()
        (folder / "by_this_one.py").touch()
        return Size(unzipped=0, zipped=0)

    monkeypatch.setattr(bundle_recipe, "assemble", beaten)
    assert set(content(build())) == {"by_the_other.py"}
    assert len(list(project.glob("cache/bundles/*"))) == 1


def test_processes_that_work_in_one_cache_all_get_the_bundle(tmp_path: Path) -> None:
    code = (
        "from crossover.bundling import HEALTH_CHECK; from crossover.bundling.cache import build_bundle;"
        f"print(build_bundle(HEALTH_CHECK, python_version={THIS_VERSION!r}))"
    )
    forgotten = tmp_path / "bundles/inference-0123"
    forgotten.mkdir(parents=True)
    os.utime(forgotten, (0, 0))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "CROSSOVER_CACHE": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=120) for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, answers
    (finished,) = {Path(output.strip()) for output, _ in answers}
    assert list(tmp_path.glob("bundles/*")) == [finished]
    assert (finished / "health_check_handler.py").is_file()


def test_bundles_that_were_not_used_for_a_day_are_removed(project: Path) -> None:
    used = build()
    forgotten, killed = project / "cache/bundles/inference-0123", project / "cache/bundles/building-abcd"
    for folder in (forgotten, killed):
        (folder / "inference").mkdir(parents=True)
        os.utime(folder, (0, 0))
    os.utime(used, (0, 0))
    assert build() == used
    assert list(project.glob("cache/bundles/*")) == [used]


def test_without_an_interpreter_of_that_version_the_bundle_keeps_its_sources_and_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_bytecode = build()
    with monkeypatch.context() as patch:
        patch.setattr(bundle_cache, "find_python", lambda _: None)
        patch.setattr(bundle_cache, "_compiler", cache(bundle_cache._compiler.__wrapped__))
        bundle = build()
        assert build() == bundle
    files = set(content(bundle))
    assert "botocore/__init__.py" in files
    assert not [file for file in files if file.endswith(".pyc")]
    assert capsys.readouterr().err.count("times as long") == 1
    assert bundle != with_bytecode


def test_the_platform_is_lambdas_unless_the_bundle_is_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "macosx-14.0-arm64")
    assert bundle_cache._platform("x86_64", for_host=False) == "x86_64-manylinux_2_28"
    assert bundle_cache._platform("arm64", for_host=False) == "aarch64-manylinux_2_28"
    for architecture in ("x86_64", "arm64"):
        assert bundle_cache._platform(architecture, for_host=True) == "macosx-14.0-arm64"
    assert "aarch64-manylinux_2_28" in bundle_cache._uv_install("3.12", "aarch64-manylinux_2_28")
    assert "--python-platform" in bundle_cache._uv_install("3.12", "x86_64-manylinux_2_28")
    assert "--python-platform" not in bundle_cache._uv_install("3.12", "macosx-14.0-arm64")


def test_refuses_a_malformed_version() -> None:
    with pytest.raises(ValueError, match=r"must have the form 3\.12, but it is 'python3'"):
        build_bundle(PROXY, python_version="python3")


# --- what CDK gets


def stack_with_function(out: Path, context: dict[str, object] | None = None) -> tuple[cdk.App, cdk.Stack]:
    app = cdk.App(outdir=str(out), context=context or {}, analytics_reporting=False)
    stack = cdk.Stack(app, "Stack")
    lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_12,
        handler="standard_handler.handler",
        code=bundled_code(stack, INFERENCE, python_version=THIS_VERSION),
    )
    return app, stack


def assets(out: Path) -> dict[str, Path]:
    """The code assets of the synthesized stack: hash and folder."""
    files = json.loads((out / "Stack.assets.json").read_text())["files"]
    return {key: out / file["source"]["path"] for key, file in files.items() if file["source"]["packaging"] == "zip"}


def test_cdk_gets_a_copy_of_the_finished_bundle(project: Path) -> None:
    app, _ = stack_with_function(project / "out")
    app.synth()
    ((_, folder),) = assets(project / "out").items()
    assert content(folder) == content(build())
    assert not [path for path in folder.rglob("*") if path.is_file() and path.stat().st_nlink > 1]


def test_the_code_of_each_architecture_is_another_asset(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes: list[str] = []
    monkeypatch.setattr(lambda_.Code, "from_asset", lambda _, *, asset_hash, **others: hashes.append(asset_hash))
    for use_docker in (False, True):
        for architecture in ("x86_64", "arm64"):
            bundled_code(
                cdk.Stack(), INFERENCE, python_version=THIS_VERSION, architecture=architecture, use_docker=use_docker
            )
    assert len(set(hashes[:2])) == len(set(hashes[2:])) == 2


def test_nothing_is_bundled_for_a_stack_that_cdk_skips_and_the_hash_stays_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = stack_with_function(project / "bundled")
    app.synth()

    def forbidden(*_: object, **__: object) -> Path:
        raise AssertionError("a bundle was made")

    monkeypatch.setattr(bundling, "build_bundle", forbidden)
    app, _ = stack_with_function(project / "skipped", {"aws:cdk:bundling-stacks": []})
    app.synth()
    assert list(assets(project / "skipped")) == list(assets(project / "bundled"))


def test_an_interrupted_synth_leaves_no_half_bundle_that_the_next_synth_would_take(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(source: Path, target: str, **_: object) -> None:
        Path(target, "half.py").touch()
        raise RuntimeError("interrupted")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="interrupted"):
        patch.setattr(shutil, "copytree", half)
        patch.setattr(bundling, "build_bundle", lambda *_, **__: Path("unused"))
        stack_with_function(project / "out")
    app, _ = stack_with_function(project / "out")
    app.synth()
    ((_, folder),) = assets(project / "out").items()
    assert content(folder) == content(build())


def test_a_bundling_error_is_passed_on_unchanged(project: Path) -> None:
    (project / "lambda_src/standard_handler.py").write_text("def handler(:\n")
    with pytest.raises(BundlingError, match="could not compile"):
        stack_with_function(project / "out")


@pytest.mark.parametrize(("architecture", "platform"), [("x86_64", "linux/amd64"), ("arm64", "linux/arm64")])
def test_in_docker_the_recipe_gets_the_bundle_the_sources_and_the_output(
    project: Path, monkeypatch: pytest.MonkeyPatch, architecture: str, platform: str
) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(lambda_.Code, "from_asset", lambda path, **options: seen.update(options, path=path))
    bundled_code(cdk.Stack(), INFERENCE, architecture=architecture, use_docker=True)
    options = seen["bundling"]
    assert options.platform == platform
    (volume,) = options.volumes

    assert Path(seen["path"]) == project / "lambda_src"
    assert (Path(volume.host_path) / "recipe.py").samefile(bundle_recipe.__file__)
    assert options.local is None
    assert options.command == [
        "python3",
        f"{volume.container_path}/recipe.py",
        json.dumps(asdict(INFERENCE)),
        "/asset-input",
        "/asset-output",
    ]


def test_the_recipe_runs_as_a_script_with_the_standard_library_alone(project: Path) -> None:
    """As in the build image, for a bundle without wheels."""
    output = project / "output"
    output.mkdir()
    arguments = [json.dumps(asdict(HEALTH_CHECK)), str(project / "lambda_src"), str(output)]
    command = [sys.executable, "-I", "-S", str(bundle_recipe.__file__), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=project)

    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr.startswith("Bundled health_check: 0.0 MB unzipped")
    assert content(output) == content(build(HEALTH_CHECK))


def test_docker_cannot_make_a_bundle_for_this_machine() -> None:
    with pytest.raises(ValueError, match="cannot be made in Docker"):
        bundled_code(cdk.Stack(), PROXY, for_host=True, use_docker=True)


# --- the interpreter of the wanted version


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A machine without this Python; returns what installs it there, as a link at a path of the home folder."""
    python = sys.executable
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(home / "bin"))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    find_python.find_python.cache_clear()

    def install(path: str) -> Path:
        target = home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
        target.chmod(0o755)
        return target

    monkeypatch.setattr(find_python, "find_python", find_python.find_python.__wrapped__)
    return install


def test_the_running_interpreter_comes_first() -> None:
    assert find_python.find_python(THIS_VERSION) == Path(sys.executable)


def test_a_failing_shim_is_skipped_for_pyenvs_newest(machine: Callable[[str], Path]) -> None:
    shim = machine(f"bin/python{THIS_VERSION}")
    shim.write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
    machine(f".pyenv/versions/{THIS_VERSION}.9/bin/python")
    newest = machine(f".pyenv/versions/{THIS_VERSION}.10/bin/python")
    machine(".pyenv/versions/2.7.18/bin/python")
    assert find_python.find_python(THIS_VERSION) == newest


def test_pyenv_is_asked_for_its_root(machine: Callable[[str], Path], tmp_path: Path) -> None:
    machine("bin/pyenv").write_text(f"#!/bin/sh\necho {tmp_path}/home/elsewhere\n")
    python = machine(f"elsewhere/versions/{THIS_VERSION}.1/bin/python")
    assert find_python.find_python(THIS_VERSION) == python


def test_an_interpreter_of_uv_is_found_last(machine: Callable[[str], Path]) -> None:
    managed = machine(f".local/share/uv/python/cpython-{THIS_VERSION}.2-linux-x86_64-gnu/bin/python")
    assert find_python.find_python(THIS_VERSION) == managed
    on_path = machine(f"bin/python{THIS_VERSION}")
    assert find_python.find_python(THIS_VERSION) == on_path


def test_folders_of_another_user_and_no_home_are_passed_over(
    machine: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    python = machine(f"bin/python{THIS_VERSION}")
    locked = python.parents[1] / "locked"

    original = Path.stat

    def stat(path: Path, **more: Any) -> Any:
        if path.is_relative_to(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, **more)

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "stat", stat)  # the tests may run as root, who may read everything
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setenv("PATH", f"{locked}:{python.parent}")
    monkeypatch.setenv("PYENV_ROOT", str(locked))
    assert find_python.find_python(THIS_VERSION) == python
    python.unlink()
    assert find_python.find_python(THIS_VERSION) is None


def test_an_interpreter_of_another_version_does_not_count(machine: Callable[[str], Path]) -> None:
    machine("bin/python3.99")
    assert find_python.find_python("3.99") is None


def test_the_finder_is_a_script_for_the_makefile() -> None:
    def run(*arguments: str) -> tuple[int, str]:
        script = [sys.executable, "-I", str(Path(find_python.__file__)), *arguments]
        answer = subprocess.run(script, capture_output=True, text=True)
        return answer.returncode, answer.stdout.strip()

    assert run(THIS_VERSION) == (0, sys.executable)
    assert run("3.99") == (1, "")
    assert run("three") == (2, "")
    assert run() == (2, "")
