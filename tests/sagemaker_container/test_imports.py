"""Nothing is imported once root is given up: Python and its packages may lie where only root can read."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.lambda_src.pictures import encode, photograph
from tests.lambda_src.tables import make_table_model, npz
from tests.onnx_models.detectors import make_raw_detector
from tests.onnx_models.embedding import make_embedding
from tests.onnx_models.segmentation import make_level_map, make_segmentation

from .conftest import MODEL, ROOT, SPEECH

pytestmark = pytest.mark.slow  # a process for each kind
PROGRAM = dedent("""
    import json, sys
    from pathlib import Path
    from sagemaker_container.server import Settings, load_predictors

    class Blocked:
        def find_spec(self, name, path=None, target=None):
            raise ImportError(f"{name} is imported too late")

    folder, kind = Path(sys.argv[1]), sys.argv[2]
    block = lambda: sys.meta_path.insert(0, Blocked())
    failures = {}
    for model in sorted((folder / "models").iterdir()):
        settings = Settings.from_environment({"MODEL_DIR": str(model), "INPUT_KIND": kind})
        predictor = load_predictors(settings, after_reading=block).concurrent
        for file in sorted((folder / "files").iterdir()):
            try:
                predictor.model.predict(predictor.model.contract.input.decode(file.read_bytes(), predictor.limits))
            except Exception as error:
                failures[f"{model.name}, {file.name}"] = repr(error)
    print(json.dumps(failures))
""")


def image_files() -> dict[str, bytes]:
    picture, clear = photograph(), Image.new("RGBA", (30, 20), (9, 8, 7, 100))
    kinds = {kind: encode(picture, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO")}
    packed = {how: encode(picture, "TIFF", compression=f"tiff_{how}") for how in ("lzw", "adobe_deflate", "jpeg")}
    others = {"palette": encode(picture.quantize(16), "PNG"), "clear": encode(clear, "PNG")}
    return {**kinds, **packed, **others, "cmyk": encode(picture.convert("CMYK"), "JPEG")}


def audio_files() -> dict[str, bytes]:
    samples = np.sin(np.arange(22_050) / 9).astype(np.float32)
    files = {"speech": SPEECH.read_bytes()}
    for kind in ("FLAC", "OGG", "MP3"):
        file = io.BytesIO()
        soundfile.write(file, samples, 44_100, format=kind)
        files[kind] = file.getvalue()
    return files


def tensor_files() -> dict[str, bytes]:
    text = "age,city\n30,Bern\n"
    return {
        "npz": npz(age=np.array([[30.0]], np.float32), city=np.array([["Bern"]])),
        "json": b'{"age": [[30]], "city": [["Bern"]]}',
        "csv": text.encode(),
        "utf-8-sig": text.encode("utf-8-sig"),
        "utf-16": text.encode("utf-16"),
    }


MODELS: dict[str, Callable[[], dict[str, bytes]]] = {
    "audio": lambda: {"sounds": MODEL.read_bytes()},
    "image": lambda: {
        "boxes": make_raw_detector().SerializeToString(),
        "embedding": make_embedding().SerializeToString(),
        "levels": make_level_map().SerializeToString(),
        "map": make_segmentation().SerializeToString(),
    },
    "tensor": lambda: {"table": make_table_model(output_kind="tensors")},
}
FILES = {"audio": audio_files, "image": image_files, "tensor": tensor_files}


@pytest.mark.parametrize("kind", MODELS)
def test_all_is_imported_before_root_is_given_up(tmp_path: Path, kind: str) -> None:
    for name, model in MODELS[kind]().items():
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "model.onnx").write_bytes(model)
    (tmp_path / "files").mkdir()
    for name, data in FILES[kind]().items():
        (tmp_path / "files" / name).write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), kind],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}", "AWS_DEFAULT_REGION": "eu-central-1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {}  # and so nothing else is printed, as PIL.report would
