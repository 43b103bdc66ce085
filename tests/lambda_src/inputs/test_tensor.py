"""Tensors of every format, as users send them, and how they become a graph's inputs."""

import io
import json
import random
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from inference.input_error import InputError
from inference.inputs.tensor import TensorInput, TensorLimits
from inference.model import Model

from ..conftest import ROOT
from ..tables import make_table_model, make_tree_model, npy, npz, tensor_input

ROWS = tensor_input(("x", "float", [None, 4]))
FRAME = tensor_input(("age", "float", [None, 1]), ("city", "string", [None, 1]), ("visits", "int64", ["N"]))


def decode(kind: TensorInput, data: bytes | str, **limits: int):
    data = data.encode() if isinstance(data, str) else data
    decoded = kind.decode(data, TensorLimits(**limits))
    (feed,) = decoded.feeds
    for array, wanted in zip(feed.values(), kind.inputs, strict=True):
        assert array.dtype == np.dtype(wanted.dtype) and array.dtype.isnative
        assert array.flags.c_contiguous and array.flags.aligned
    return feed, decoded.facts["rows"]


def only(kind: TensorInput, data: bytes | str, **limits: int):
    (array,) = decode(kind, data, **limits)[0].values()
    return array.tolist()


def refusal(kind: TensorInput, data: bytes | str, **limits: int) -> InputError:
    with pytest.raises(InputError) as caught:
        decode(kind, data, **limits)
    assert caught.value.message.endswith(".") and "\n" not in caught.value.message
    return caught.value


def test_its_file_needs_the_standard_library_only():
    program = (
        "import sys; before = set(sys.modules); import inference.inputs.tensor as t; "
        "print([name for name in set(sys.modules) - before if name.split('.')[0] not in "
        "{*sys.stdlib_module_names, 'inference'}], any('tensor_formats' in name for name in sys.modules))"
    )
    out = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT / "lambda_src", text=True)
    assert out == "[] False\n"


def test_nothing_is_imported_once_it_is_prepared():
    """As the container gives up the right to read what lies in root's folders."""
    files = [
        *(
            npy(np.zeros(4)),
            npz(x=np.zeros(4)),
            npz(x=np.zeros(4), y=np.zeros(4)),
            npy(np.array(["a"])),
            b"[1, 2, 3, 4]",
        ),
        *(
            b"a,b,c,d\n1,2,3,4",
            b"\xef\xbb\xbf1,2,3,x",
            "1,2,3,4".encode("utf-16"),
            b"[1",
            b'{"x": 1, "x": 2}',
            b"PK\3\4",
        ),
    ]
    program = (
        "import sys; from inference.inputs.tensor import *; TensorInput.prepare(); before = set(sys.modules)\n"
        "kind = TensorInput(inputs=(GraphInput(name='x', dtype='float32', shape=(None, 4)),))\n"
        f"for data in {files!r}:\n"
        "    try: kind.decode(data, TensorLimits())\n"
        "    except InputError: pass\n"
        "print(set(sys.modules) - before)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], cwd=ROOT / "lambda_src", text=True) == "set()\n"


# The formats


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize(
    "dtype", ["<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "i1", "<i2", ">i4", ">i8", "u1", ">u8", "?"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_every_version_type_and_order(version, dtype, order):
    array = np.array([[0, 1, 1, 0], [1, 0, 1, 0]]).astype(dtype, order=order)
    assert only(ROWS, npy(array, version)) == [[0, 1, 1, 0], [1, 0, 1, 0]]


def test_npy_of_python_2():
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 4L), }\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<4f", 1, 2, 3, 4)
    with pytest.warns(UserWarning, match="Python 2"):
        assert only(ROWS, data) == [[1, 2, 3, 4]]


@pytest.mark.parametrize("byte_order", "<>")
def test_npy_of_strings(byte_order):
    words = np.array([["a", ""], ["Zürich", "\U0001f600 b"]]).astype(f"{byte_order}U6")
    assert only(tensor_input(("x", "string", [None, 2])), npy(words)) == words.tolist()
    assert only(tensor_input(("x", "string", [None, 2])), npy(np.array([["", ""]]))) == [["", ""]]


def test_npz_by_names_whatever_their_order():
    data = npz(visits=np.array([1, 2], np.uint8), city=np.array([["a"], ["b"]]), age=np.array([[1.5], [2]]))
    feed, rows = decode(FRAME, data)
    assert {name: array.tolist() for name, array in feed.items()} == {
        "age": [[1.5], [2.0]],
        "city": [["a"], ["b"]],
        "visits": [1, 2],
    }
    assert rows == 2


@pytest.mark.parametrize("name", ["x", "arr_0"])
def test_npz_of_one_array(name):
    assert only(ROWS, npz(**{name: np.ones((2, 4))})) == [[1] * 4] * 2


def test_json_by_names_and_alone():
    text = '{"visits": [1, 2.0], "city": ["a", "b"], "age": [[1], [2.5]]}'
    feed, rows = decode(FRAME, text)
    assert {name: array.tolist() for name, array in feed.items()} == {
        "age": [[1.0], [2.5]],
        "city": [["a"], ["b"]],
        "visits": [1, 2],
    }
    assert rows == 2
    assert only(ROWS, " \n[[1, 2, 3, 4]]") == only(ROWS, '{"x": [1, 2, 3, 4.0]}') == [[1, 2, 3, 4]]


def test_one_row_in_json_needs_no_lists():
    feed, rows = decode(FRAME, '{"age": 40, "city": "Basel", "visits": 3}')
    assert [array.tolist() for array in feed.values()] == [[[40]], [["Basel"]], [3]]
    assert rows == 1


@pytest.mark.parametrize("separator", ",;\t")
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_with_a_header_in_any_order(separator, line_end, encoding):
    lines = [["visits", "city", "age"], ["1", f'"a{separator} ""b"""', "1.5"], ["2", "Zürich", "-2e1"]]
    text = "".join(separator.join(line) + line_end for line in lines)
    feed, rows = decode(FRAME, text.encode(encoding))
    assert [array.tolist() for array in feed.values()] == [[[1.5], [-20]], [[f'a{separator} "b"'], ["Zürich"]], [1, 2]]
    assert rows == 2


@pytest.mark.parametrize("header", ["", "a,b,c,d\n", '"first, one",b c,Größe,_d\n'])
def test_csv_of_numbers_with_and_without_a_header(header):
    assert only(ROWS, header + "1,2,3,4\n5,6,7,8.5") == [[1, 2, 3, 4], [5, 6, 7, 8.5]]


def test_numbers_of_columns_are_no_row():
    """As pandas writes them for a frame without names."""
    assert refusal(ROWS, "0,1,2,3\n0.5,1.5,2.5,3.5\n").code == "UNSUPPORTED_FORMAT"
    assert only(ROWS, "0,1,2,3\n0,1,2,3.5") == [[0, 1, 2, 3], [0, 1, 2, 3.5]]
    assert only(ROWS, "0,1,2,3") == [[0, 1, 2, 3]]
    assert only(ROWS, "0.0,1.0,2.0,3.0\n0.5,1.5,2.5,3.5") == [[0, 1, 2, 3], [0.5, 1.5, 2.5, 3.5]]


def test_csv_by_declared_columns():
    kind = tensor_input(("x", "float", [None, 3]), input_columns='["age", "height", "weight"]')
    assert only(kind, "weight,age,height\n3,1,2\n30,10,20") == [[1, 2, 3], [10, 20, 30]]
    assert only(kind, "1,2,3") == [[1, 2, 3]]
    assert refusal(kind, "weight,age,size\n3,1,2").code == "UNKNOWN_INPUT"
    assert refusal(kind, "weight,age\n3,1").code == "MISSING_INPUT"


def test_csv_of_one_column_of_text():
    kind = tensor_input(("text", "string", ["N", 1]))
    assert only(kind, 'text\nGood\n"Bad, very\nbad"\n') == [["Good"], ["Bad, very\nbad"]]
    assert only(kind, "Good; very good") == [["Good; very good"]]
    assert only(kind, "Text\nGood") == [["Good"]]
    assert only(kind, "review\nGood") == [["review"], ["Good"]]


def test_csv_of_strings_by_declared_columns_has_a_header():
    kind = tensor_input(("x", "string", [None, 2]), input_columns='["city", "job"]')
    assert only(kind, "job,city\ncook,Basel") == [["Basel", "cook"]]
    for first in ("city,jbo", "City,Job", "CITY,job"):
        assert refusal(kind, f"{first}\nBasel,cook").code == "UNKNOWN_INPUT"
    for text in ("Basel,cook", "place,work\nBasel,cook"):
        assert refusal(kind, text).code == "MISSING_INPUT"
    one = tensor_input(("x", "string", [None, 1]), input_columns='["review"]')
    assert only(one, "review\nGood") == [["Good"]]
    assert refusal(one, "Review\nGood").code == "UNKNOWN_INPUT"
    assert refusal(one, "Good").code == "MISSING_INPUT"
    unnamed = tensor_input(("x", "string", [None, 2]))
    assert only(unnamed, "city,job\nBasel,cook") == [["city", "job"], ["Basel", "cook"]]


def test_a_known_name_in_the_first_row_makes_it_a_header_whatever_its_case():
    kind = tensor_input(("x", "float", [None, 2]), input_columns='["age", "1"]')
    for first in ("Age,1", "age,2", "AGE,7"):
        assert refusal(kind, f"{first}\n3,4").code == "UNKNOWN_INPUT"
    assert only(kind, "1,age\n3,4") == [[4, 3]]
    assert only(kind, "1,5\n3,4") == [[1, 5], [3, 4]]


def test_csv_whose_separator_cannot_be_told_is_refused():
    kind = tensor_input(("x", "string", [None, 2]))
    assert only(kind, "a;b") == only(kind, '"a";b') == [["a", "b"]]
    assert refusal(kind, "a,b;c").code == "UNSUPPORTED_FORMAT"


def test_csv_of_truth_values():
    kind = tensor_input(("x", "bool", [None, 4]))
    assert only(kind, "true,False,1,0") == [[True, False, True, False]]
    assert refusal(kind, "true,yes,1,0").code == "WRONG_TYPE"


# To the graph's shape


@pytest.mark.parametrize(
    ("shape", "found", "fitted"),
    [
        ([None, 4], [4], [1, 4]),
        ([1, 4], [4], [1, 4]),
        (["N", "F"], [4], [1, 4]),
        ([None, 1], [3], [3, 1]),
        ([None, 1], [], [1, 1]),
        ([None, 1], [1], [1, 1]),
        (["N"], [3, 1], [3]),
        (["N"], [1, 3], [3]),
        ([4], [1, 4], [4]),
        ([], [1, 1], []),
        ([1, 3, None, None], [3, 5, 6], [1, 3, 5, 6]),
        ([None, None, 2], [5, 2], [1, 5, 2]),
        ([2, 3], [1, 1, 2, 3], [2, 3]),
    ],
)
@pytest.mark.parametrize("as_file", [npy, lambda array: json.dumps(array.tolist()).encode()])
def test_dimensions_of_one_are_added_and_taken_away(shape, found, fitted, as_file):
    array = np.arange(np.prod(found, dtype=int), dtype=np.float32).reshape(found)
    (fed,) = decode(tensor_input(("x", "float", shape)), as_file(array))[0].values()
    assert list(fed.shape) == fitted
    assert fed.ravel().tolist() == array.ravel().tolist()


@pytest.mark.parametrize(
    ("shape", "found"),
    [([None, 4], [4, 2]), ([1, 4], [2, 4]), ([4], [5]), ([], [2]), ([None, 3], [6]), ([2, 3], [3]), (["N"], [2, 2])],
)
def test_another_shape_is_refused_with_both(shape, found):
    error = refusal(tensor_input(("x", "float", shape)), npy(np.zeros(found)))
    needed = str(["any" if size is None else size for size in shape]).replace("'", "")
    assert error.code == "WRONG_SHAPE"
    assert f"has the shape {found}, but the model takes float32 {needed}." in error.message


def test_dimensions_of_one_name_have_one_size():
    kind = tensor_input(("a", "float", ["N", 1]), ("b", "float", ["N", 1]))
    assert decode(kind, '{"a": [1, 2], "b": [3, 4]}')[1] == 2
    assert refusal(kind, '{"a": [1, 2], "b": [3]}').code == "WRONG_SHAPE"


def test_rows_are_those_of_an_open_first_dimension():
    for shape, rows in (([None, 2], 3), (["N"], 3), ([3, 2], 1), ([1, None], 1)):
        found = [3, 2] if len(shape) == 2 and shape[0] != 1 else [3]
        assert decode(tensor_input(("x", "float", shape)), npy(np.zeros(found)))[1] == rows


# To the graph's type


@pytest.mark.parametrize(
    ("kind", "array", "code"),
    [
        ("float", np.array([1e39]), "OUT_OF_RANGE"),
        ("float16", np.array([65520.0], np.float32), "OUT_OF_RANGE"),
        ("float16", np.array([70_000]), "OUT_OF_RANGE"),
        ("float", np.array([np.inf]), "NON_FINITE_VALUES"),
        ("double", np.array([np.nan]), "NON_FINITE_VALUES"),
        ("int64", np.array([1.5]), "WRONG_TYPE"),
        ("int64", np.array([np.nan]), "NON_FINITE_VALUES"),
        ("int64", np.array([2.0**63]), "OUT_OF_RANGE"),
        ("int64", np.array([2**63], np.uint64), "OUT_OF_RANGE"),
        ("uint8", np.array([256]), "OUT_OF_RANGE"),
        ("uint8", np.array([-1], np.int8), "OUT_OF_RANGE"),
        ("bool", np.array([2]), "WRONG_TYPE"),
        ("bool", np.array([0.5]), "WRONG_TYPE"),
        ("float", np.array(["1"]), "WRONG_TYPE"),
        ("string", np.array([1]), "WRONG_TYPE"),
        ("float", np.array([1j]), "WRONG_TYPE"),
        ("float", np.array([b"1"]), "WRONG_TYPE"),
        ("float", np.array(["2026-01-01"], "M8[D]"), "WRONG_TYPE"),
        ("float", np.zeros(1, [("a", "f4")]), "WRONG_TYPE"),
    ],
)
def test_values_that_would_change_are_refused(kind, array, code):
    assert refusal(tensor_input(("x", kind, [None])), npy(array)).code == code


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("float16", [65504.0, -0.5]),
        ("int64", [2**63 - 1, -(2**63)]),
        ("uint64", [2**64 - 1, 0]),
        ("int8", [-128, 127]),
        ("bool", [True, False]),
        ("bool", [1, 0]),
        ("int32", [True, False]),
        ("double", [0.1, 1e308]),
        ("string", ["", "\0a\n"]),
    ],
)
def test_values_arrive_exactly(kind, values):
    wanted = tensor_input(("x", kind, ["N"]))
    assert only(wanted, json.dumps(values)) == values
    assert only(wanted, npy(np.array(values, "u8" if kind == "uint64" else None))) == values
    if kind != "string" and not (kind == "int32" and values[0] is True):
        assert only(wanted, "\n".join(map(str, values))) == values


def test_large_integers_keep_all_digits():
    kind = tensor_input(("x", "int64", [None, 2]))
    for text in (
        *("[9007199254740993, 1]", "[9007199254740993, 1.0]", "[9007199254740993, 1e0]"),
        *("9007199254740993,1", "9007199254740993,1.0", "9007199254740993.0,1", "9007199254740993.,1e0"),
    ):
        assert only(kind, text) == [[9007199254740993, 1]]


@pytest.mark.parametrize("number", ["9007199254740993e0", "-9007199254740993e0", "9007199254740992e0", "1e18"])
@pytest.mark.parametrize("form", ["[[{}, 1]]", "{},1", "{},1.0"])
def test_a_float_that_stands_for_several_integers_is_no_integer(form, number):
    assert refusal(tensor_input(("x", "int64", [None, 2])), form.format(number)).code == "OUT_OF_RANGE"
    assert only(tensor_input(("x", "double", [None, 2])), form.format(number)) == [[float(number), 1]]


def test_the_largest_float_that_is_one_integer_is_taken():
    kind = tensor_input(("x", "int64", [None]))
    assert only(kind, "[9007199254740991.0, 1e3]") == only(kind, "9007199254740991e0\n1e3") == [2**53 - 1, 1000]
    assert refusal(kind, "[9007199254740993.0]").code == "OUT_OF_RANGE"


def test_missing_values_are_refused_by_their_place_unless_they_are_declared():
    names = "age,city,visits\n"
    refused = refusal(FRAME, names + "1,a,1\n ,b,2")
    assert refused.code == "MISSING_VALUES"
    assert "row 2, column 'age'" in refused.message
    declared = tensor_input(("x", "float", [None, 2]), missing_values="nan")
    for text in (",2\n3,nan", "[[null, 2], [3, NaN]]", "NaN,2\n3, "):
        assert str(only(declared, text)) == "[[nan, 2.0], [3.0, nan]]"
    assert str(only(declared, npy(np.array([[np.nan, 2], [3, np.nan]])))) == "[[nan, 2.0], [3.0, nan]]"
    for text in ("[1, Infinity]", "1,inf", "[1, 1e999]", "1,1e999"):
        assert refusal(declared, text).code in ("NON_FINITE_VALUES", "WRONG_TYPE")


def test_an_empty_cell_of_text_is_an_empty_string():
    assert decode(FRAME, "age,city,visits\n1,,1")[0]["city"].tolist() == [[""]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3", "The input 'x' has the shape [1, 3], but the model takes float32 [any, 4]."),
        ("1,2,3,4\n1,2", "The CSV has 2 cells in row 2, but 4 in its first."),
        ("1;2;3,5;4", "The cell in row 1, column '3' is '3,5', but the model takes float32 [any, 4]"
         ": write decimals with a point."),
        ("a,b,c,d\n1,2,x,4", "The cell in row 1, column 'c' is 'x', but the model takes float32 [any, 4]."),
        ("1_0,2,3,4", "The cell in row 1, column '1' is '1_0', but the model takes float32 [any, 4]."),
        ("[1, 2, 3, true]", "The input 'x' at [3] is True, but the model takes float32 [any, 4]."),
        ('{"y": [1], "x": [1]}', "The JSON object has 'y', which the model does not take; it takes 'x'."),
        ("{}", "The JSON object lacks 'x'; the model takes 'x'."),
        ("[[1, 2], [3]]", "The lists of the input 'x' have 1 to 2 elements in the dimension 1."),
        ("[1, 2", "The JSON is damaged in line 1, column 6: expecting ',' delimiter."),
    ],
)  # fmt: skip
def test_refusals_name_what_is_wrong_and_what_is_allowed(text, message):
    assert refusal(ROWS, text).message == message


def test_a_word_for_a_missing_value_is_no_header():
    for word in ("NA", "null", "n/a", "None"):
        assert refusal(tensor_input(("x", "float", [None, 1])), f"{word}\n1").code == "WRONG_TYPE"


# Limits


def test_the_number_of_values_is_limited():
    assert TensorLimits.from_environment({"MAX_ELEMENTS": "8"}) == TensorLimits(max_elements=8)
    eight, nine = npy(np.zeros(8)), npy(np.zeros(9))
    kind = tensor_input(("x", "float", ["N"]))
    assert len(only(kind, eight, max_elements=8)) == 8
    assert refusal(kind, nine, max_elements=8).code == "TENSOR_TOO_LARGE"
    for text in (json.dumps([0.0] * 9), ",".join("0" * 9), "\n".join("0" * 9)):
        assert refusal(kind, text, max_elements=8).code == "TENSOR_TOO_LARGE"
    two = tensor_input(("a", "float", ["N"]), ("b", "float", ["N"]))
    assert refusal(two, npz(a=np.zeros(5), b=np.zeros(5)), max_elements=8).code == "TENSOR_TOO_LARGE"


def test_a_bomb_is_refused_by_what_it_declares():
    bomb = npz(x=np.zeros((100_000, 4)))
    assert len(bomb) < 5_000
    assert refusal(ROWS, bomb, max_elements=100_000).code == "TENSOR_TOO_LARGE"


class Bomb:
    """Creates a file where it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_is_never_read(tmp_path):
    import pickle

    made = tmp_path / "made"
    pickled = pickle.dumps(Bomb(str(made)))
    objects = np.empty(1, object)
    objects[0] = Bomb(str(made))
    as_npy = npy(objects)
    header = as_npy[: as_npy.index(b"\n") + 1]
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("x.npy", pickled)
    disguises = [
        *(pickle.dumps(Bomb(str(made)), protocol) for protocol in range(6)),
        *(as_npy, header + pickled, header.replace(b"|O", b"O ") + pickled),
        *(npz(x=objects), npz(arr_0=objects), stored.getvalue()),
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(pickled)) + pickled,
        *(npy(np.array([(0, Bomb(str(made)))], [("a", "i4"), ("b", "O")])), b"\xef\xbb\xbf" + pickled),
    ]
    for data in disguises:
        for kind in (ROWS, tensor_input(("x", "string", [None]))):
            if data.startswith(b"c") or b"(" in data[:1]:  # protocol 0 is text, which one string may be
                continue
            assert refusal(kind, data)
    assert not made.exists()
    pickle.loads(pickled).close()  # the bomb does work
    assert made.exists()


# The model's metadata


@pytest.mark.parametrize(
    ("inputs", "metadata", "fault"),
    [
        ([("x", "bfloat16", [1])], {}, "its input is x, tensor(bfloat16) [1], but must be tensors"),
        ([("x", "float", [0, 2])], {}, "its input is x, tensor(float) [0, 2], but must be"),
        ([], {}, "its input is none"),
        ([("x", "float", [1, 2])], {"missing_values": "drop"}, "its missing_values is 'drop', but must be"),
        ([("x", "float", [1, 2])], {"input_columns": '["a"]'}, "its input_columns are"),
        ([("x", "float", [1, 2])], {"input_columns": '["a", "a"]'}, "its input_columns are"),
        ([("x", "float", [1, 2])], {"input_columns": "a,b"}, "its input_columns are"),
        ([("x", "float", [1, 1]), ("y", "float", [1, 1])], {"input_columns": '["a"]'}, "its input_columns are"),
        ([("x", "float", [1, 2])], {"example": "[1]"}, "its example is not an input that it takes: The input 'x'"),
    ],
)  # fmt: skip
def test_faults_of_the_metadata_are_named(inputs, metadata, fault):
    from types import SimpleNamespace

    faults: list[str] = []
    tensors = [SimpleNamespace(name=name, type=f"tensor({kind})", shape=shape) for name, kind, shape in inputs]
    assert TensorInput.read(metadata, tensors, faults) is None
    (only_fault,) = faults
    assert fault in only_fault


def test_samples_and_trials_fit_the_graph():
    kind = tensor_input(
        *(("a/b:0", "float16", ["N", 3, None]), ("words", "string", ["N", "N"])),
        *(("flag", "bool", []), ("large", "int8", [1, 3, 512, 512])),
        output_kind="tensors",
    )
    (sample,) = kind.samples()
    feed, rows = decode(kind, sample)
    shapes = {"a/b:0": (1, 3, 16), "words": (1, 1), "flag": (), "large": (1, 3, 512, 512)}
    assert {name: array.shape for name, array in feed.items()} == shapes
    assert rows == 1
    trials = list(kind.trials())
    assert [(trial.usual, trial.decoded.facts["rows"]) for trial in trials] == [(True, 1), (False, 1), (False, 3)]
    of_labels = tensor_input(("x", "float", [None, 2]))  # which predict one row
    assert [trial.decoded.facts["rows"] for trial in of_labels.trials()] == [1, 1]


def test_the_example_is_sample_and_trial():
    kind = tensor_input(("x", "string", [None, 2]), example='["Basel", "Bern"]', output_kind="tensors")
    assert kind.samples() == (b'["Basel", "Bern"]',)
    assert [trial.decoded.feeds[0]["x"].tolist() for trial in kind.trials()] == [
        [["Basel", "Bern"]],
        [["Basel", "Bern"]] * 3,
    ]


# In onnxruntime


@pytest.mark.parametrize("zip_map", [True, False])
def test_a_table_of_numbers_and_strings_runs(zip_map):
    model = Model.load(make_table_model(zip_map=zip_map))
    one = {
        b'{"age": 2, "city": "Basel"}',
        "city;age\nBasel;2".encode("utf-16"),
        npz(age=np.array(2), city=np.array("Basel")),
    }
    for data in one:
        outcome = model.predict(model.contract.input.decode(data, TensorLimits()))
        assert outcome.values["label"] == "yes"
        assert outcome.values["score"] == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-5)
    with pytest.raises(InputError) as caught:
        model.predict(model.contract.input.decode(b"age,city\n1,Bern\n2,Basel", TensorLimits()))
    assert caught.value.code == "TOO_MANY_ROWS"
    assert "2 rows" in caught.value.message
    with pytest.raises(InputError) as caught:
        model.predict(model.contract.input.decode(b"age,city\n1,Paris", TensorLimits()))
    assert caught.value.code == "MODEL_REFUSED_INPUT"


def test_rows_of_a_tree_run():
    model = Model.load(make_tree_model(output_kind="tensors", outputs='["label"]', missing_values="nan"))
    for data in (b"a,b\n0,0\n1,0\n1,1\n,1", b"[[0, 0], [1, 0], [1, 1], [NaN, 1]]"):
        decoded = model.contract.input.decode(data, TensorLimits())
        assert decoded.facts == {"rows": 4}
        assert model.predict(decoded).values["outputs"]["label"]["values"] == [0, 1, 2, 2]


def test_every_type_is_what_onnxruntime_takes():
    """What it is given for an array of another byte order, or that is not aligned, it would take as it lies."""
    import onnx
    from onnx import TensorProto, helper

    types = {"float": "f4", "float16": "f2", "double": "f8", "int8": "i1", "int64": "i8", "uint8": "u1", "bool": "?"}
    for name, dtype in types.items():
        kind = {"float": "FLOAT", "float16": "FLOAT16", "double": "DOUBLE"}.get(name, name.upper())
        infos = [helper.make_tensor_value_info(each, getattr(TensorProto, kind), [None, 2]) for each in "xy"]
        graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", infos[:1], infos[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        labels = {"name": "n", "version": "1", "license": "MIT", "input_kind": "tensor", "output_kind": "tensors"}
        helper.set_model_props(model, labels)
        onnx.checker.check_model(model)
        loaded = Model.load(model.SerializeToString())
        values = np.array([[0, 1], [1, 0], [1, 1]])
        for order in "<>":
            for arranged in (np.ascontiguousarray, np.asfortranarray):
                stored = npy(arranged(values.astype(f"{order}{dtype}")))
                for padding in range(4):
                    (length,) = struct.unpack("<H", stored[8:10])
                    end = 10 + length
                    head = stored[:8] + struct.pack("<H", length + padding) + stored[10 : end - 1]
                    moved = head + b" " * padding + b"\n" + stored[end:]
                    decoded = loaded.contract.input.decode(moved, TensorLimits())
                    (result,) = loaded.run(decoded.feeds)
                    assert result["y"].tolist() == values.tolist()


# Whatever the values


def test_all_formats_give_the_same_for_the_same_values():
    """Of random shapes, types and values."""
    chosen = random.Random(5)
    types = {"float": "f4", "double": "f8", "int64": "i8", "uint8": "u1", "bool": "?", "string": "U"}
    for seed in range(150):
        rows, columns = chosen.randint(1, 5), chosen.randint(1, 5)
        name = chosen.choice(list(types))
        numbers = np.random.default_rng(seed).normal(0, 10 ** chosen.randint(0, 6), (rows, columns))
        array = {"uint8": np.abs(numbers) % 256, "bool": numbers > 0}.get(name, numbers).astype(types[name])
        kind = tensor_input(("x", name, [None, columns]))
        text = "\n".join(",".join(map(str, row)) for row in array.tolist())
        for data in (npy(array), npz(x=array), json.dumps(array.tolist()), text):
            feed, found = decode(kind, data)
            assert np.array_equal(feed["x"], array.astype(object) if name == "string" else array)
            assert found == rows
