"""Predicts files as a handler does, with a function's packages: `python probe_files.py BUNDLE MODEL FOLDER FILE...`.

Prints a line of JSON for each file. What would go to the results bucket goes to FOLDER, if it is not empty.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


class Folder:
    """The part of S3 that a handler stores results in: the objects become files of a folder."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.stem = ""
        self.written = ""

    def put_object(self, *, Key: str, Body: bytes, **others: Any) -> None:  # noqa: N803, AWS's names
        suffix = Path(Key).suffix
        self.written = f"{suffix} of {len(Body):,} bytes"
        if self.folder:
            path = self.folder / f"{self.stem}{suffix}"
            path.write_bytes(Body)
            self.written = str(path)


def main(bundle: str, model_path: str, folder: str, files: list[str]) -> None:
    """Print the outcomes."""
    sys.path.insert(0, bundle)
    from inference.input_error import InputError
    from inference.local_predictor import LocalPredictor
    from inference.model import Model

    started = time.perf_counter()
    model = Model.load(Path(model_path))
    kind = model.contract.input
    kind.prepare()
    load_ms = round((time.perf_counter() - started) * 1000, 1)
    results = Folder(Path(folder) if folder else None)
    predictor = LocalPredictor(s3=results, model=model, limits=kind.limits(), results_bucket="results")
    for file in files:
        results.stem, results.written = f"{Path(file).name}.result", ""
        found: dict[str, Any] = {"file": file, "load_ms": load_ms}
        try:
            prediction = predictor.predict_bytes(Path(file).read_bytes())
        except InputError as error:
            found.update(status="FAILED", error_code=error.code, error_message=error.message)
        else:
            values = {name: value for name, value in prediction.values.items() if name != "result_uri"}
            timings = {name: ms for name, ms in prediction.timings_ms.items() if name in ("decode", "inference")}
            found.update(status="SUCCEEDED", values=values, timings_ms=timings, result=results.written)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    _, given_bundle, given_model, given_folder, *given_files = sys.argv
    main(given_bundle, given_model, given_folder, given_files)
