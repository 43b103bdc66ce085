"""The build context of a function's image: what sagemaker_container/lambda.Dockerfile makes the image of, and no more.

The image holds the same bundle as a zip would, made by the same recipe inside the image of Lambda's runtime.
"""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from crossover.bundling import recipe
from crossover.bundling.recipe import Bundle
from crossover.paths import sources

DOCKERFILE = "lambda.Dockerfile"
TASK_ROOT = "/var/task"
"""Where Lambda's base image expects the function's code, and starts it."""
MODEL = "model/model.onnx"
"""The model in the context, and below TASK_ROOT in the image."""


def write_image_context(folder: Path, bundle: Bundle, *, model: Path | None) -> None:
    """Fill an empty folder.

    Args:
        bundle: all of its handlers are in the image; the function's command chooses one.
        model: the ONNX file that becomes part of the image; None leaves it out.
    """
    lambda_src = sources() / "lambda_src"
    for source in [*bundle.files(lambda_src), *(lambda_src / lock for lock in bundle.locks)]:
        target = folder / "lambda_src" / source.relative_to(lambda_src)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    shutil.copyfile(sources() / "sagemaker_container" / DOCKERFILE, folder / DOCKERFILE)
    shutil.copyfile(recipe.__file__, folder / "recipe.py")
    # In two parts, each a layer of the image: an edit of a handler neither installs nor pushes the wheels again.
    bundle = replace(bundle, max_bytes=recipe.MAX_IMAGE_BYTES)
    for name, part in {
        "wheels": replace(bundle, handlers=(), packages=(), leaves_out=()),
        "handlers": replace(bundle, locks=(), services=()),
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(asdict(part)))
    (folder / MODEL).parent.mkdir()
    if model:
        shutil.copyfile(model, folder / MODEL)
