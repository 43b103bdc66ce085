"""Labels are read from the files in which they are found."""

from pathlib import Path

import pytest

from crossover.errors import UsageError
from crossover.model.labels_file import read_labels


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "cat\nhot dog\r\n bird \n\n"),
        ("labels.txt", "\ufeffcat\nhot dog\nbird"),
        ("labels.json", '["cat", "hot dog", "bird"]'),
        ("labels.json", '{"0": "cat", "1": "hot dog", "2": "bird"}'),
        ("labels.json", '{"2": ["n3", "bird"], "0": ["n1", "cat"], "1": ["n2", "hot dog"]}'),
        ("labels.csv", "index,mid,display_name\n0,/m/1,cat\n1,/m/2,hot dog\n2,/m/3,bird\n"),
        ("labels.csv", 'Label\ncat\n"hot dog"\nbird\n'),
        ("labels.csv", "cat\nhot dog\nbird\n"),
    ],
)
def test_labels_come_in_the_order_of_the_scores(tmp_path: Path, name: str, text: str):
    path = tmp_path / name
    path.write_bytes(text.encode())

    assert read_labels(path) == ["cat", "hot dog", "bird"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("labels.txt", b"", "holds no labels"),
        ("labels.txt", b"cat\n\ndog\n", "The label 2 in"),
        ("labels.txt", b"\xff\xfe\x00", "are not UTF-8 text"),
        ("labels.json", b"[1, 2]", "must be a JSON list of strings"),
        ("labels.json", b'{"cat": 1}', "must be a JSON list of strings, or an object of them by number"),
        ("labels.json", b"cat", "are not JSON"),
        ("labels.csv", b"a,b\n1,2\n", "have the columns a, b, but none is named label"),
        ("labels.csv", b"", "holds no labels"),
    ],
)
def test_what_holds_no_labels_is_refused(tmp_path: Path, name: str, content: bytes, reason: str):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(UsageError, match=reason):
        read_labels(path)


def test_classes_that_leave_numbers_out_keep_theirs(tmp_path: Path):
    path = tmp_path / "labels.json"
    path.write_text('{"1": "person", "3": "car"}')

    assert read_labels(path) == {"1": "person", "3": "car"}


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(UsageError) as error:
        read_labels(tmp_path / "none.txt")

    assert str(error.value) == f"The labels {tmp_path}/none.txt cannot be read: No such file or directory."
