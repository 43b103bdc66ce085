"""A model whose results may not fit an item gets a bucket for them, which its compute may write to and nothing else."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3

from crossover.cdk import InvalidValueError, ModelArtifact, PipelineStorage, StandardLambda
from tests.crossover.cdk.calls import Call, is_allowed
from tests.crossover.cdk.onnx_files import CONTRACT, write_model
from tests.crossover.cdk.option_sets import KEPT, Synthesis, synthesize
from tests.crossover.cdk.templates import StackTemplate

TENSORS = {**CONTRACT, "output_kind": "tensors"}
RESULTS = "<Storage/ResultsBucket.Arn>"
VIA_S3 = {"kms:ViaService": "s3.<AWS::Region>.amazonaws.com"}
WRITERS = {
    "Standard": "Compute/FunctionRole",
    "SnapStart": "Compute/FunctionRole",
    "SageMaker": "Compute/ExecutionRole",
}


@pytest.fixture(scope="module")
def tensors_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tensors.onnx", metadata=TENSORS)


@pytest.fixture(scope="module")
def synthesis(tensors_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    settings = {**KEPT, "encryption": "customer", "network": "isolated"}
    return synthesize(tensors_model, tmp_path_factory.mktemp("assembly"), settings)


def test_each_variant_has_one_and_names_it(synthesis: Synthesis):
    for template in synthesis.templates.values():
        assert template.outputs["ResultsBucketName"] == "<Storage/ResultsBucket>"
        function = template.resources["Compute/Function"].properties["Environment"]["Variables"]
        models = template.of_type("AWS::SageMaker::Model")
        [environment] = [model.properties["PrimaryContainer"]["Environment"] for model in models] or [function]
        assert environment["RESULTS_BUCKET"] == "<Storage/ResultsBucket>"
        assert (environment is function) == ("RESULTS_BUCKET" in function)  # the proxy writes none


def test_what_predicts_may_write_results_and_do_nothing_else_with_them(synthesis: Synthesis):
    for variant, role in WRITERS.items():
        statements = list(synthesis.templates[variant].statements(role))
        assert is_allowed(Call("s3:PutObject", f"{RESULTS}/results/a.npz"), statements)
        assert is_allowed(Call("kms:GenerateDataKey", "<Key.Arn>", VIA_S3), statements)
        for action in ("s3:GetObject", "s3:DeleteObject", "s3:ListBucket"):
            assert not is_allowed(Call(action, f"{RESULTS}/results/a.npz"), statements)
        assert not is_allowed(Call("s3:PutObject", f"{RESULTS}/a.npz"), statements)


def test_the_proxy_may_not_write_results(synthesis: Synthesis):
    statements = list(synthesis.templates["SageMaker"].statements("Compute/FunctionRole"))
    assert not is_allowed(Call("s3:PutObject", f"{RESULTS}/results/a.npz"), statements)


def test_an_isolated_network_lets_results_through(synthesis: Synthesis):
    for template in synthesis.templates.values():
        [endpoint] = [each for each in template.of_type("AWS::EC2::VPCEndpoint") if "S3" in each.path]
        statements = endpoint.properties["PolicyDocument"]["Statement"]
        assert [each["Resource"] for each in statements if each["Action"] == "s3:PutObject"] == [f"{RESULTS}/results/*"]


def test_results_are_kept_as_long_as_items(synthesis: Synthesis):
    for template in synthesis.templates.values():
        bucket = template.resources["Storage/ResultsBucket"].properties
        [rule] = bucket["LifecycleConfiguration"]["Rules"]
        assert rule["ExpirationInDays"] == int(KEPT["item_lifetime_days"])
        assert "VersioningConfiguration" not in bucket  # a name is made of the content
        assert template.resources["Storage/ResultsBucket"].definition["DeletionPolicy"] == "Retain"


def test_nothing_is_found_by_cdk_nag(synthesis: Synthesis):
    assert synthesis.findings == []


def test_a_model_of_labels_gets_none(standard: StackTemplate):
    assert "Storage/ResultsBucket" not in standard.resources
    assert "ResultsBucketName" not in standard.outputs


def test_storage_without_one_is_refused_for_such_a_model(tensors_model: Path):
    stack = Stack(App(), "Stack")
    storage, model = PipelineStorage(stack, "Storage"), ModelArtifact(stack, "Model", path=tensors_model)
    with pytest.raises(InvalidValueError, match="results_bucket is False, but must be True or a bucket"):
        StandardLambda(stack, "Compute", storage=storage, model=model)


def test_an_existing_one_is_taken(tensors_model: Path):
    stack = Stack(App(), "Stack")
    existing = s3.Bucket.from_bucket_name(stack, "Existing", "results-of-ours")
    storage = PipelineStorage(stack, "Storage", results_bucket=existing)
    assert storage.results_environment == {"RESULTS_BUCKET": "results-of-ours"}
