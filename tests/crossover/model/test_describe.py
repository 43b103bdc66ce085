"""A contract is made from what the user says, what the graph tells and how it runs."""

import json
import re
from dataclasses import fields
from pathlib import Path

import onnx
import pytest

from crossover import cli, command_line
from crossover.errors import UsageError
from crossover.model.check import check
from crossover.model.contract import check_model
from crossover.model.describe import contract_fields, describe
from crossover.model.metadata import read_metadata, write_metadata
from crossover.model.options import ContractOptions
from tests.crossover.model import graphs
from tests.onnx_models.detectors import make_detector

AUDIO = {"sample_rate": "16000"}


def run(*arguments: object) -> int:
    return command_line.run(cli.app, ["model", "describe", *map(str, arguments)], program="crossover")


def test_a_model_of_audio_is_described_and_can_be_deployed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source, target = graphs.audio_logits(tmp_path / "my model.onnx"), tmp_path / "model/mine.onnx"

    assert run(source, "--sample-rate", 8000, "--labels", "cat,hot dog,bird", "--output", target) == 0

    assert read_metadata(target) == {
        "name": "my-model",
        "version": "1",
        "license": "not stated",
        "input_kind": "audio",
        "sample_rate": "8000",
        "output_kind": "labels",
        "labels": json.dumps(["cat", "hot dog", "bird"]),
        "activation": "softmax",
    }
    assert check_model(target).warnings == ()
    printed = capsys.readouterr().out
    assert f"Next: crossover model check {target}" in printed
    assert "activation   softmax  (scores of a trial lie between -10 and 10;" in printed
    assert read_metadata(source) == {}


def test_without_output_the_file_itself_is_described_and_may_be_described_again(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx")

    assert run(path, "--sample-rate", 8000, "--labels", "a,b,c", "--license", "MIT") == 0
    assert run(path, "--version", 2, "--activation", "none") == 0

    metadata = read_metadata(path)
    assert (metadata["version"], metadata["license"], metadata["sample_rate"]) == ("2", "MIT", "8000")
    assert "activation" not in metadata


def test_states_and_the_sample_rate_of_a_recurrent_graph_are_found(tmp_path: Path):
    path = graphs.recurrent(tmp_path / "vad.onnx")

    entries = describe(path, given=AUDIO, labels="speech")

    assert json.loads(entries["states"].value) == {"state": "stateN"}
    assert json.loads(entries["constants"].value) == {"sr": 16000}
    assert "activation" not in entries


def test_a_graph_with_an_input_for_it_asks_for_the_sample_rate(tmp_path: Path):
    path = graphs.recurrent(tmp_path / "vad.onnx")

    with pytest.raises(UsageError) as error:
        describe(path, given={}, labels="speech")

    assert str(error.value).endswith("give --sample-rate.")


def test_labels_are_never_made_up_unless_asked_for(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx", classes=1000)

    with pytest.raises(UsageError, match=r"gives 1,000 scores: give --labels FILE with as many lines"):
        describe(path, given=AUDIO)

    entries = describe(path, given=AUDIO, number_labels=True)
    assert json.loads(entries["labels"].value)[::999] == ["class 0", "class 999"]


def test_another_number_of_labels_than_scores_is_refused(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx")

    with pytest.raises(UsageError, match=r"^There are 2 labels, but the model gives 3 scores\.$"):
        describe(path, given=AUDIO, labels="cat,dog")


def test_scores_that_are_probabilities_stay_as_they_are(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx", spread=0.0)

    assert "activation" not in describe(path, given=AUDIO, labels="a,b,c")


def test_what_is_given_goes_before_what_the_graph_tells(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx")

    entries = describe(path, given={**AUDIO, "activation": "sigmoid", "name": "other"}, labels="a,b,c")

    assert (entries["activation"].value, entries["name"].value) == ("sigmoid", "other")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--sample-rate", "16 kHz"], "its sample_rate is '16 kHz', but must be a whole number of Hz above 0"),
        (["--sample-rate", "8000", "--windowing", "sum"], "its windowing is 'sum', but must be 'mean' or 'max'"),
        (["--sample-rate", "8000", "--activation", "relu"], "its activation is 'relu', but must be"),
        (["--kind", "radio"], "The kind of input is 'radio'; there are audio"),
        (["--sample-rate", "8000", "--output-kind", "radio"], "its output_kind is 'radio', but must be"),
        (["--sample-rate", "8000", "--states", "h"], "its states are 'h', but must be a JSON object"),
        (["--sample-rate", "8000", "--labels", "many," * 200], "There are 201 labels, but the model gives 3 scores"),
        (["--sample-rate", "8000", "--labels", "none.txt"], "The labels none.txt cannot be read: No such file"),
    ],
)
def test_a_wrong_value_is_one_sentence(tmp_path: Path, options: list[str], reason: str):
    path = graphs.audio_logits(tmp_path / "mine.onnx")
    before = path.read_bytes()

    with pytest.raises(UsageError) as error:
        run(path, "--labels", "a,b,c", *options)

    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", ['"x"', "null", "{}", "[1, 2]", "[1, [2, 3]]", "1.5", "1" + "0" * 30])
def test_a_constant_of_another_type_is_refused(tmp_path: Path, value: str):
    path = graphs.recurrent(tmp_path / "vad.onnx")

    with pytest.raises(UsageError, match=rf"constant 'sr' is {re.escape(value)}, but must be tensor\(int64\) \[\]"):
        run(path, "--sample-rate", 16000, "--labels", "speech", "--constants", f'{{"sr": {value}}}')


def test_an_output_of_names_is_no_output_of_scores(tmp_path: Path):
    path = graphs.table_classifier(tmp_path / "iris.onnx")

    with pytest.raises(UsageError, match=r"its output is label, tensor\(string\)"):
        run(path, "--labels", "a,b,c", "--scores", "label")


def test_what_is_no_model_is_refused(tmp_path: Path):
    path = tmp_path / "mine.onnx"
    path.write_text("not a model")

    with pytest.raises(UsageError, match=r"mine.onnx is not an ONNX model"):
        run(path)
    with pytest.raises(UsageError, match=r"none.onnx cannot be read: No such file or directory"):
        run(tmp_path / "none.onnx")


NORMALISED = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]


def test_a_classifier_of_pictures_is_described_as_torchvision_exports_it(tmp_path: Path):
    path = graphs.picture_logits(tmp_path / "net.onnx")

    assert run(path, *NORMALISED, "--resize", "crop", "--crop-ratio", 0.875, "--number-labels") == 0

    metadata = read_metadata(path)
    assert (metadata["input_kind"], metadata["output_kind"], metadata["activation"]) == ("image", "labels", "softmax")
    assert (metadata["size"], metadata["layout"], metadata["channels"]) == ("8", "NCHW", "RGB")
    assert json.loads(metadata["labels"]) == ["class 0", "class 1", "class 2", "class 3"]
    assert check_model(path).warnings == ()


@pytest.mark.slow
def test_a_check_of_a_classifier_of_pictures_decodes_the_smallest_and_the_largest(tmp_path: Path):
    path = graphs.picture_logits(tmp_path / "net.onnx")
    run(path, *NORMALISED, "--number-labels")

    found = check(path)

    assert found.faults == found.warnings == ()
    whats = {run.what for run in found.runs}
    assert {"a picture of 1 x 1", "the largest picture that is allowed, 8,000 x 8,000"} <= whats


def test_what_no_graph_tells_of_pictures_is_asked_for(tmp_path: Path):
    path = graphs.picture_logits(tmp_path / "net.onnx", shape=("batch", 3, "height", "width"))

    with pytest.raises(UsageError, match=r"give --size and --mean and --std, 0 and 1 where"):
        run(path, "--number-labels")
    run(path, "--number-labels", "--size", 16, *NORMALISED)

    assert read_metadata(path)["size"] == "16"


@pytest.mark.parametrize("zipmap", [True, False])
def test_a_classifier_of_tables_is_described_as_scikit_learn_exports_it(tmp_path: Path, zipmap: bool):
    path = graphs.table_classifier(tmp_path / "iris.onnx", zipmap=zipmap)
    labels = [] if zipmap else ["--labels", "setosa,versicolor,virginica"]

    assert run(path, *labels) == 0

    metadata = read_metadata(path)
    assert (metadata["input_kind"], metadata["output_kind"]) == ("tensor", "labels")
    assert json.loads(metadata["labels"]) == ["setosa", "versicolor", "virginica"]
    assert metadata["scores"] == ("probabilities" if zipmap else "scores")
    assert "activation" not in metadata
    assert check_model(path).contract.output.kind == "labels"


def test_names_with_commas_become_a_list_and_an_example_comes_from_a_file(tmp_path: Path):
    path = graphs.table_classifier(tmp_path / "iris.onnx")
    (tmp_path / "row.json").write_text("[[5.1, 3.5, 1.4, 0.2]]\n")

    run(path, "--input-columns", "a, b,c,d", "--example", tmp_path / "row.json")

    metadata = read_metadata(path)
    assert json.loads(metadata["input_columns"]) == ["a", "b", "c", "d"]
    assert metadata["example"] == "[[5.1, 3.5, 1.4, 0.2]]"


def test_an_embedding_needs_no_labels(tmp_path: Path):
    path = graphs.picture_logits(tmp_path / "net.onnx")

    assert run(path, *NORMALISED, "--output-kind", "tensors") == 0

    assert "labels" not in read_metadata(path)
    assert check_model(path).contract.output.kind == "tensors"


def test_weights_beside_the_file_come_into_it(tmp_path: Path):
    source = graphs.audio_logits(tmp_path / "mine.onnx")
    onnx.save(onnx.load(source), source, save_as_external_data=True, location="mine.onnx.data", size_threshold=0)
    (tmp_path / "model").mkdir()

    run(source, "--sample-rate", 8000, "--labels", "a,b,c", "--output", tmp_path / "model/mine.onnx")

    assert check_model(tmp_path / "model/mine.onnx").warnings == ()


def test_each_field_of_each_kind_has_an_option():
    options = {option.name for option in fields(ContractOptions)} | {"labels"}

    assert options >= set(contract_fields())


def test_a_recurrent_model_that_is_described_can_be_deployed(tmp_path: Path):
    path = graphs.recurrent(tmp_path / "vad.onnx")
    run(path, "--sample-rate", 16000, "--labels", "speech")

    assert check_model(path).warnings == ()


def test_labels_in_the_file_that_are_no_json_are_refused(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx")
    write_metadata(path, path, {"labels": "[oops"})

    with pytest.raises(UsageError, match=r"its labels are '\[oops', but must be a JSON list"):
        run(path, "--sample-rate", 8000)


@pytest.mark.parametrize("constants", [[], ["--constants", '{"sr": 16000}']])
def test_a_sample_rate_of_the_shape_1_is_described(tmp_path: Path, constants: list[str]):
    path = graphs.recurrent(tmp_path / "vad.onnx", rate_shape=[1])

    run(path, "--sample-rate", 16000, "--labels", "speech", *constants)

    assert check_model(path).warnings == ()
    assert json.loads(read_metadata(path)["constants"])["sr"] == (16000 if constants else [16000])


RAW = ["--mean", "0", "--std", "1"]


def test_how_boxes_of_rows_are_read_is_written_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = graphs.raw_detector(tmp_path / "yolo.onnx", shape=[1, 7, 4096])

    run(path, *RAW, "--labels", "red,green")

    printed = capsys.readouterr().out
    assert "objectness  (7 values, 2 labels: 4 + 1 + 2; with 3 labels it would be scores)" in printed
    assert re.search(r"boxes_format +cxcywh  \(the default\)", printed)
    assert re.search(r"nms +0.45  \(the default\)", printed)
    assert read_metadata(path)["columns"] == "objectness"

    run(path, "--labels", "red,green,blue")

    assert read_metadata(path)["columns"] == "scores"


def test_columns_that_fit_other_labels_too_stay(tmp_path: Path):
    path = graphs.raw_detector(tmp_path / "yolo.onnx", shape=[1, 300, 6])
    run(path, *RAW, "--labels", "red,green", "--columns", "class")

    run(path, "--labels", "rouge,vert")

    assert read_metadata(path)["columns"] == "class"


@pytest.mark.parametrize("shape", [[1, 7, 4096], [1, "boxes", 7]])
def test_rows_that_do_not_fit_the_labels_are_refused(tmp_path: Path, shape: list[int | str]):
    path = graphs.raw_detector(tmp_path / "yolo.onnx", shape=shape)

    with pytest.raises(UsageError, match=r"7 columns, but the labels are 4: give 3 labels, or 2 and an objectness"):
        run(path, *RAW, "--labels", "a,b,c,d")
    run(path, *RAW, "--labels", "", "--output-kind", "tensors")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--mean", "0"], "--mean has a meaning for pictures only, but this is taken as tensor, as its input is X"),
        (["--sample-rate", 8000, "--kind", "tensor"], "--sample-rate has a meaning for audio only, but this is taken"),
        (["--nms", 0.5], "--nms has a meaning for detections only, but this is taken as labels, as its outputs are"),
        (["--output-kind", "tensors", "--labels", "a,b"], "--labels has a meaning for labels, detections and maps of"),
        (["--output-kind", "tensors", "--number-labels"], "--number-labels has a meaning for labels only"),
    ],
)
def test_an_option_of_another_kind_is_refused(tmp_path: Path, options: list[object], reason: str):
    path = graphs.table_classifier(tmp_path / "iris.onnx")

    with pytest.raises(UsageError, match=f"^{re.escape(reason)}"):
        run(path, *options)


def test_a_sample_rate_of_pictures_is_refused(tmp_path: Path):
    path = graphs.picture_logits(tmp_path / "net.onnx")

    with pytest.raises(UsageError, match=r"--sample-rate has a meaning for audio only, but this is taken as image"):
        run(path, "--sample-rate", 8000)


def test_what_the_file_has_for_another_kind_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = graphs.picture_logits(tmp_path / "net.onnx")
    run(path, *NORMALISED, "--number-labels")

    run(path, "--output-kind", "tensors")

    assert {"labels", "activation"}.isdisjoint(read_metadata(path))
    printed = capsys.readouterr().out
    assert "labels       left out  (it has a meaning for labels, detections and maps of pixels only)" in printed


def test_a_field_of_a_described_file_can_be_changed_or_removed(tmp_path: Path):
    path = graphs.picture_logits(tmp_path / "net.onnx")
    run(path, *NORMALISED, "--number-labels", "--resize", "crop", "--crop-ratio", 0.875)

    run(path, "--resize", "squash")
    assert "crop_ratio" not in read_metadata(path)
    run(path, "--resize", "")
    assert "resize" not in read_metadata(path)


def test_another_sample_rate_changes_the_constant_too(tmp_path: Path):
    path = graphs.recurrent(tmp_path / "vad.onnx")
    run(path, "--sample-rate", 16000, "--labels", "speech")

    run(path, "--sample-rate", 8000)

    assert json.loads(read_metadata(path)["constants"]) == {"sr": 8000}


def test_a_label_of_two_classes_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = graphs.audio_logits(tmp_path / "mine.onnx")

    run(path, "--sample-rate", 8000, "--labels", "crane,kite,crane")

    assert "Warning: 'crane' is more than once among the labels" in capsys.readouterr().out


def test_all_that_is_missing_is_asked_for_at_once(tmp_path: Path):
    path = graphs.picture_logits(tmp_path / "net.onnx", shape=("batch", 3, "height", "width"))

    with pytest.raises(UsageError) as error:
        run(path)

    assert "give --size and --mean and --std, " in str(error.value)
    assert str(error.value).endswith("; and --labels FILE with 4 lines, or --number-labels.")


def test_boxes_of_several_outputs_need_labels_and_a_format(tmp_path: Path):
    path = tmp_path / "detector.onnx"
    onnx.save(make_detector(), path)
    write_metadata(path, path, {}, without=contract_fields())

    with pytest.raises(
        UsageError, match=r"--mean and --std and --boxes-format, .*; and --labels with a label for each"
    ):
        run(path)


def test_a_model_that_may_take_audio_asks_for_the_sample_rate_too(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx")

    with pytest.raises(UsageError, match=r"gives 3 scores: .* If it takes audio, give --sample-rate too\.$"):
        run(path)


@pytest.mark.parametrize("rate", ["9" * 5000, "0", "1e4"])
def test_no_sample_rate_of_a_recurrent_graph_shows_a_traceback(tmp_path: Path, rate: str):
    path = graphs.recurrent(tmp_path / "vad.onnx")

    with pytest.raises(UsageError, match=r"its sample_rate is"):
        run(path, "--sample-rate", rate, "--labels", "speech")


def test_one_score_is_one(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx", classes=1)

    with pytest.raises(UsageError, match=r"gives 1 score: .* such as a value, --output-kind tensors"):
        run(path, "--sample-rate", 8000)
    with pytest.raises(UsageError, match=r"There are 2 labels, but the model gives 1 score\."):
        run(path, "--sample-rate", 8000, "--labels", "a,b")


def test_a_model_that_gives_no_finite_number_is_said_so(tmp_path: Path):
    path = graphs.audio_logits(tmp_path / "mine.onnx", spread=float("nan"))

    entries = describe(path, given=AUDIO, labels="a,b,c")

    assert entries["output_kind"].source.endswith("; no trial gave a finite number")
