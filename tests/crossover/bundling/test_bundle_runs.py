"""The real bundles, run by a real Python 3.12 that has nothing else to import, against moto as AWS."""

import base64
import io
import json
import os
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
import soundfile
from PIL import Image

from crossover.bundling import PROXY, inference_bundle
from crossover.bundling.cache import build_bundle
from crossover.bundling.find_python import find_python
from crossover.bundling.recipe import Bundle
from crossover.model.check import BUNDLE_BYTES
from crossover.model.trying import try_files
from crossover.paths import sources
from tests.crossover.bundling import arm64_python
from tests.moto_server import moto_server

PYTHON = find_python("3.12")
SPEECH = sources() / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"
SHORT = sources() / "model/samples/misc_crow.flac"
REPORTED = sources() / "tests/lambda_src/reported/files"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-central-1"}

INFERENCE = inference_bundle("audio")
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
COMPRESSIONS = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PYTHON is None, reason="there is no Python 3.12 on this machine to run the bundle"),
]


@pytest.fixture(scope="module")
def inference() -> Path:
    return build_bundle(INFERENCE)


@pytest.fixture(scope="module")
def proxy() -> Path:
    return build_bundle(PROXY)


def run(bundle: Path, code: str, *, python: Sequence[str] = (str(PYTHON), "-I", "-S", "-c"), **environment: str) -> Any:
    """Runs the code in the bundle as Lambda does, with no other packages, and returns the JSON it prints last."""
    answer = subprocess.run(
        [*python, "import sys; sys.path.insert(0, '.')\n" + textwrap.dedent(code)],
        cwd=bundle,
        env=CREDENTIALS | environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def zipped_bytes(folder: Path) -> int:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files(folder).items():
            archive.writestr(name, data)
    return target.tell()


# --- the standard handler, end to end


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    """A bucket and a table on a moto server; yields the handler's environment."""
    with moto_server() as url:
        environment = {
            "AWS_ENDPOINT_URL": url,
            "PREDICTIONS_TABLE": "predictions",
            "PREDICTOR": "standard",
            "MODEL_S3_URI": str(sources() / "model/model.onnx"),
        }
        client("s3", environment).create_bucket(
            Bucket="uploads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        client("dynamodb", environment).create_table(
            TableName="predictions",
            KeySchema=[{"AttributeName": "object_key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "object_key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield environment


def client(service: str, environment: dict[str, str]) -> Any:
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def as_format(name: str) -> bytes:
    """The speech clip in another format."""
    samples, rate = soundfile.read(SPEECH)
    target = io.BytesIO()
    soundfile.write(target, samples, rate, format=name)
    return target.getvalue()


def s3_event(*keys: str) -> str:
    records = [
        {
            "eventSource": "aws:s3",
            "s3": {"bucket": {"name": "uploads"}, "object": {"key": key, "sequencer": "0055AED6"}},
        }
        for key in keys
    ]
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", **record} for record in records]})


HANDLE = """
    import json, types
    import standard_handler
    standard_handler.handler(json.loads({event!r}), types.SimpleNamespace(aws_request_id="c0ffee00"))
    print("null")
"""


def test_the_standard_handler_predicts_from_the_bundle_alone_whatever_the_format(
    inference: Path, aws: dict[str, str]
) -> None:
    s3 = client("s3", aws)
    uploads = {"speech.wav": SPEECH.read_bytes()}
    uploads |= {f"speech.{name}": as_format(name.upper()) for name in ("flac", "mp3", "ogg")}
    uploads |= {path.name: path.read_bytes() for path in REPORTED.glob("a*")}  # AAC, M4A and WebM
    for key, body in uploads.items():
        s3.put_object(Bucket="uploads", Key=key, Body=body)
    before = files(inference)

    run(inference, HANDLE.format(event=s3_event(*uploads)), **aws)

    table = client("dynamodb", aws)
    items = {key: table.get_item(TableName="predictions", Key={"object_key": {"S": key}})["Item"] for key in uploads}
    assert {key: (item["status"]["S"], item["label"]["S"]) for key, item in items.items()} == dict.fromkeys(
        uploads, ("SUCCEEDED", "Speech")
    )
    assert files(inference) == before  # Lambda's folder is read-only: nothing may want to write into it


def test_the_bundle_of_pictures_predicts_them_and_has_nothing_for_audio(aws: dict[str, str]) -> None:
    bundle, samples = build_bundle(inference_bundle("image")), sources() / "model/image/samples"
    uploads = {path.name: path.read_bytes() for path in (samples / "coffee.jpg", samples / "chelsea_cut_out.png")}
    for key, body in uploads.items():
        client("s3", aws).put_object(Bucket="uploads", Key=key, Body=body)
    before = files(bundle)

    model = {"MODEL_S3_URI": str(sources() / "model/image/model.onnx"), "INPUT_KIND": "image"}
    run(bundle, HANDLE.format(event=s3_event(*uploads)), **{**aws, **model})

    table = client("dynamodb", aws)
    items = {key: table.get_item(TableName="predictions", Key={"object_key": {"S": key}})["Item"] for key in uploads}
    labels = {key: item["label"]["S"] for key, item in items.items()}
    assert labels == {"coffee.jpg": "espresso", "chelsea_cut_out.png": "Egyptian cat"}
    assert files(bundle) == before
    assert not [name for name in before if name.startswith(("av/", "soxr/", "inference/inputs/audio_formats/"))]
    assert sum(map(len, before.values())) < 110e6


def test_the_handler_runs_on_the_bundles_bytecode_and_on_nothing_outside_it(inference: Path) -> None:
    """Every module comes from the bundle or the standard library, and each of ours has its bytecode ready."""
    code = """
        import json, sys
        import inference.startup, inference.local_predictor, inference.clients, inference.store, inference.processor
        import av, inference.inputs
        inference.inputs.KINDS["audio"].prepare()
        inference.clients.create_client("s3")
        modules = [module for module in sys.modules.values() if getattr(module, "__file__", None)]
        bundled = [module for module in modules if not module.__file__.startswith((sys.prefix, sys.base_prefix))]
        print(json.dumps({m.__name__: [m.__file__, getattr(m, "__cached__", None)] for m in bundled}))
    """
    modules = run(inference, code)
    assert {"onnxruntime", "numpy", "soundfile", "av", "soxr", "botocore"} <= set(modules)
    for file, cached in modules.values():
        assert (inference / file).is_relative_to(inference)
        if file.endswith(".py"):
            assert (inference / cached).is_file()


def test_the_model_loads_without_output_on_stderr(inference: Path) -> None:
    code = f"""
        import os, sys
        sys.stderr.flush()
        reader, writer = os.pipe()
        os.dup2(writer, 2)  # what native code writes, too
        from pathlib import Path
        from inference.model import Model
        model = Model.load(Path({str(sources() / "model/model.onnx")!r}))
        os.close(writer), os.close(2)
        import json
        print(json.dumps([model.contract.name, os.read(reader, 10_000).decode()]))
    """
    _, warnings = run(inference, code)
    assert warnings == ""


# --- arm64


DIFFERS = {"numpy/__config__.pyc"}  # states what numpy was built for
ONLY_X86 = {
    "av.libs/libvpl.so.2.16",  # Intel's hardware decoding
    "numpy.libs/libquadmath.so.0.0.0",  # of Fortran on x86
}


@pytest.mark.parametrize("bundle", [INFERENCE, PROXY], ids=lambda bundle: bundle.name)
def test_the_bundles_of_both_architectures_differ_in_the_compiled_modules_alone(bundle: Bundle) -> None:
    x86, arm = (files(build_bundle(bundle, architecture=name)) for name in ("x86_64", "arm64"))

    machines = {name: int.from_bytes(data[18:20], "little") for name, data in arm.items() if data[:4] == b"\x7fELF"}
    assert set(machines.values()) <= {183}  # EM_AARCH64
    assert {name for name in arm if ".so" in name} == set(machines)
    assert not any(data[18:20] == b"\xb7\x00" for data in x86.values() if data[:4] == b"\x7fELF")
    same = x86.keys() & arm.keys() - DIFFERS - machines.keys()
    assert [name for name in same if x86[name] != arm[name]] == []
    assert {without_build(name) for name in x86} - {without_build(name) for name in arm} <= ONLY_X86
    assert {without_build(name) for name in arm} - {without_build(name) for name in x86} == set()
    assert sum(map(len, arm.values())) < 1.1 * sum(map(len, x86.values())) < 250 * 1024**2


def without_build(name: str) -> str:
    """A file's name without the processor and the hash that auditwheel gives a library."""
    return re.sub(r"-[0-9a-f]{8}(?=[-.])|[._-]?(x86_64|aarch64|arm64)", "", name)


def test_on_arm64_the_handler_predicts_from_its_bundle_alone(aws: dict[str, str]) -> None:
    """In QEMU. What lists the processors cannot be read, which ended every function with an older onnxruntime."""
    if absent := arm64_python.missing():
        pytest.skip(f"there is no {absent[0]} on this machine to run code for arm64")
    assert PYTHON
    client("s3", aws).put_object(Bucket="uploads", Key="arm64.flac", Body=SHORT.read_bytes())
    bundle = build_bundle(INFERENCE, architecture="arm64")

    code = HANDLE.replace('print("null")', "import platform\n    print(json.dumps(platform.machine()))")
    python = arm64_python.arm64_python(PYTHON)
    assert run(bundle, code.format(event=s3_event("arm64.flac")), python=python, **aws) == "aarch64"

    item = client("dynamodb", aws).get_item(TableName="predictions", Key={"object_key": {"S": "arm64.flac"}})["Item"]
    assert (item["status"]["S"], item["label"]["S"]) == ("SUCCEEDED", "Crow")


# --- the proxy


def test_the_proxy_handler_starts_without_numpy(proxy: Path) -> None:
    code = """
        import json, sys
        import sagemaker_trigger_handler
        print(json.dumps(sorted(sys.modules)))
    """
    modules = run(proxy, code, PREDICTIONS_TABLE="predictions", PREDICTOR="sagemaker", ENDPOINT_NAME="endpoint")
    assert "botocore" in modules
    assert not {"numpy", "onnxruntime", "soundfile", "av", "soxr"} & set(modules)
    assert not [name for name in files(proxy) if name.startswith(("numpy", "onnxruntime", "soundfile", "av", "soxr"))]


def test_crossover_model_try_predicts_with_the_bundle() -> None:
    [outcome] = try_files(sources() / "model/model.onnx", [SPEECH], output=None)
    assert outcome["values"]["label"] == "Speech"


def test_the_bundle_of_pictures_decodes_every_format_without_what_it_leaves_out() -> None:
    code = """
        import base64, io, json, sys, types
        from inference.inputs.image import ImageInput, ImageLimits
        shape = types.SimpleNamespace(name="x", type="tensor(float)", shape=[1, 3, 8, 8])
        taker = ImageInput.read({}, [shape], [])
        taker.prepare()
        files = {FILES}
        means = [float(taker.decode(base64.b64decode(data), ImageLimits()).feeds[0]["x"].mean()) for data in files]
        print(json.dumps(means))
    """
    picture = Image.new("RGB", (20, 10), (200, 100, 0))
    contents = []
    for kind, how in [*((kind, {}) for kind in FORMATS), *(("TIFF", {"compression": name}) for name in COMPRESSIONS)]:
        target = io.BytesIO()
        picture.save(target, kind, **how)
        contents.append(base64.b64encode(target.getvalue()).decode())
    means = run(build_bundle(inference_bundle("image")), code.replace("{FILES}", repr(contents)))
    assert means == pytest.approx([100 / 255] * len(contents), abs=0.01)


# --- size, licences, and the same bytes wherever it is made


def test_the_inference_bundle_stays_under_200_mb_and_70_mb_zipped(inference: Path) -> None:
    assert sum(map(len, files(inference).values())) < BUNDLE_BYTES["audio"] < 200e6
    assert zipped_bytes(inference) < 70e6


def test_the_proxy_bundle_stays_under_5_mb(proxy: Path) -> None:
    assert sum(map(len, files(proxy).values())) < 5e6


@pytest.mark.parametrize("bundle", [INFERENCE, inference_bundle("image"), PROXY], ids=lambda bundle: bundle.name)
def test_every_bundled_package_keeps_its_licence_and_metadata(bundle: Bundle) -> None:
    folder = build_bundle(bundle)
    packages = list(folder.glob("*.dist-info"))
    assert packages
    for package in packages:
        name = package.name.split("-")[0]
        assert (package / "METADATA").is_file()
        texts = [*package.rglob("*LICENSE*"), *folder.glob(f"{name}/LICENSE*")]
        assert any(text.is_file() for text in texts), f"{package.name} has lost its licence"


def test_a_second_build_gives_the_same_bytes(inference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path))
    assert files(build_bundle(INFERENCE)) == files(inference)  # with all that the other bundles have


SYNTH = """
    import sys
    import aws_cdk as cdk
    from aws_cdk import aws_lambda as lambda_
    from crossover.bundling import PROXY
    from crossover.cdk.bundled_code import bundled_code
    app = cdk.App(outdir=sys.argv[1], analytics_reporting=False)
    stack = cdk.Stack(app, "Stack")
    runtime = lambda_.Runtime.PYTHON_3_12
    code = bundled_code(stack, PROXY, use_docker=True)
    lambda_.Function(stack, "Proxy", runtime=runtime, handler="sagemaker_trigger_handler.handler", code=code)
    app.synth()
"""
DOCKER = """#!{python} -I
# Stands in for `docker run`: checks the image and platform, and runs the command here, with this machine's Python 3.12.
import subprocess, sys
arguments = sys.argv[1:]
assert arguments[:2] == ["run", "--rm"]
assert arguments[arguments.index("--platform") + 1] == "linux/amd64"
folders = [volume.split(":")[:2] for option, volume in zip(arguments, arguments[1:]) if option == "-v"]
image = next(i for i, argument in enumerate(arguments) if argument.endswith("sam/build-python3.12"))
command = arguments[image + 1 :]
assert command[0] == "python3"
for here, inside in folders:
    command = [part.replace(inside, here) for part in command]
sys.exit(subprocess.run([{python!r}, *command[1:]]).returncode)
"""


def test_docker_makes_the_same_bytes(proxy: Path, tmp_path: Path) -> None:
    """The container's command, run by a stand-in for Docker: the recipe as a script, with pip instead of uv."""
    python = str(PYTHON)
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode != 0:
        python = str(tmp_path / "with_pip/bin/python")
        subprocess.run([str(PYTHON), "-m", "venv", str(tmp_path / "with_pip")], check=True)
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(python=python))
    docker.chmod(0o755)
    environment = os.environ | {"CDK_DOCKER": str(docker), "PYTHONPATH": str(sources())}
    command = [sys.executable, "-c", textwrap.dedent(SYNTH), str(tmp_path / "out")]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "Bundled proxy: " in answer.stderr
    (asset,) = [path for path in (tmp_path / "out").glob("asset.*") if path.is_dir()]
    assert files(asset) == files(proxy)
