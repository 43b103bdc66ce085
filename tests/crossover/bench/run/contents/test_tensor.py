"""Files of tensors: values as in the samples, in about the sizes that were asked for."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from crossover.bench.run.files import File, make_files, parse_sizes
from crossover.errors import UsageError


def make(*samples: Path, sizes: str, max_elements: int = 10**7) -> list[File]:
    limits = SimpleNamespace(max_bytes=10**9, max_elements=max_elements)
    return make_files("tensor", samples, parse_sizes(sizes), limits)


def test_json_is_padded_and_keeps_its_values(tmp_path: Path) -> None:
    sample = tmp_path / "a.json"
    sample.write_text("[[1, 2], [3, 4]]")
    [file] = make(sample, sizes="2KB")
    assert json.loads(file.content) == [[1, 2], [3, 4]]
    assert (file.size_bytes, file.facts) == (2048, {"rows": 2})


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("shape", [(3, 4), (5,), (2, 3, 4)])
def test_the_rows_of_npy_are_repeated(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    sample = tmp_path / "a.npy"
    np.save(sample, values)
    [file] = make(sample, sizes="20KB")
    made = np.load(io.BytesIO(file.content))
    assert (made.dtype, made.shape[1:]) == (values.dtype, values.shape[1:])
    assert np.array_equal(made, np.resize(values, made.shape))
    assert 20 * 1024 - made[0].nbytes - 64 < file.size_bytes <= 20 * 1024 + 64
    assert file.facts == {"rows": len(made)}


def test_npy_of_too_many_elements_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 4), np.float32))
    with pytest.raises(UsageError, match="elements; the variants' limit is 100"):
        make(tmp_path / "a.npy", sizes="20KB", max_elements=100)


def test_what_has_no_rows_to_repeat_is_left_out(tmp_path: Path) -> None:
    np.save(tmp_path / "scalar.npy", np.float32(1))
    np.save(tmp_path / "columns.npy", np.asfortranarray(np.ones((3, 4))))
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'shape': ")
    with pytest.raises(UsageError, match="none of the 3 samples: there must be JSON or"):
        make(*tmp_path.iterdir(), sizes="20KB")


def test_samples_are_uploaded_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    [file] = make(tmp_path / "a.csv", sizes="original")
    assert (file.content, file.facts, file.name) == (b"a,b\n1,2\n", {}, "original-a.csv")
