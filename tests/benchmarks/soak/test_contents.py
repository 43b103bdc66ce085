"""The files, decoded by the handlers' decoders, for each kind of input."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks.soak.contents import CONTENTS, contents_of, make_content
from benchmarks.soak.contents.contents import Contents
from benchmarks.soak.upload_plan import Kind
from crossover.errors import UsageError
from crossover.published_models import MODELS
from inference.input_error import InputError
from inference.inputs import KINDS
from inference.model import Model


def table_model(path: Path, *more: tuple[str, int, list[int]]) -> Path:
    """Takes numbers [rows, 3] and more, and gives them."""
    inputs: list[tuple[str, int, list[Any]]] = [("x", TensorProto.FLOAT, ["rows", 3]), *more]
    outputs = [(f"{name}_out", kind, shape) for name, kind, shape in inputs]
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [f"{name}_out"]) for name, _, _ in inputs],
        "table",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    metadata = {"name": "table", "version": "1", "license": "MIT", "input_kind": "tensor", "output_kind": "tensors"}
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module", params=KINDS)
def taken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Contents]:
    """What a model of a kind takes, and the soak's files for it."""
    kind = request.param
    path = MODELS[kind].path if kind in MODELS else table_model(tmp_path_factory.mktemp("model") / "model.onnx")
    return Model.load(path).contract.input, contents_of(kind, path)


def test_a_table_may_have_several_inputs(tmp_path: Path) -> None:
    more = (("n", TensorProto.INT64, [1]), ("text", TensorProto.STRING, [1, 2]))
    path = table_model(tmp_path / "model.onnx", *more)
    model, contents = Model.load(path).contract.input, contents_of("tensor", path)
    assert Kind.HUGE not in contents.codes
    [feed] = model.decode(make_content(contents, Kind.GOOD, "1"), model.limits()).feeds
    assert set(feed) == {"x", "n", "text"}


def test_every_kind_of_input_has_files() -> None:
    assert set(CONTENTS) == set(KINDS)
    with pytest.raises(UsageError, match="The soak has no files for touch"):
        contents_of("touch", Path("model.onnx"))


@pytest.mark.parametrize("seed", range(10))
def test_good_files_are_decoded_and_small(taken: tuple[Any, Contents], seed: int) -> None:
    model, contents = taken
    decoded = model.decode(make_content(contents, Kind.GOOD, str(seed)), model.limits())
    assert all(0 < np.size(array) < 200_000 for feed in decoded.feeds for array in feed.values())
    assert contents.suffix in model.suffixes


@pytest.mark.parametrize("seed", range(10))
def test_bad_files_are_refused_with_the_code_that_the_soak_expects(taken: tuple[Any, Contents], seed: int) -> None:
    model, contents = taken
    assert {Kind.TEXT, Kind.EMPTY, Kind.TRUNCATED} <= set(contents.codes)
    for kind, code in contents.codes.items():
        with pytest.raises(InputError) as refusal:
            model.decode(make_content(contents, kind, str(seed)), model.limits())
        assert refusal.value.code == code, kind


def test_each_seed_gives_its_own_file_reproducibly(taken: tuple[Any, Contents]) -> None:
    _, contents = taken
    for kind in {Kind.GOOD, *contents.codes} - {Kind.EMPTY}:
        one, same, other = (make_content(contents, kind, seed) for seed in "112")
        assert one == same != other, kind
