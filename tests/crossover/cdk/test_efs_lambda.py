"""The model on EFS: who may write it, how it gets there, and how long it stays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from aws_cdk import App, CfnElement, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from crossover.cdk import rules
from crossover.cdk.compute import EfsLambda
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.python_function import FunctionOptions
from crossover.cdk.storage import PipelineStorage
from tests.crossover.cdk.onnx_files import CONTRACT, write_model
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app

ACCESS_POINTS = "arn:<AWS::Partition>:elasticfilesystem:<AWS::Region>:<AWS::AccountId>:access-point"
FILE_SYSTEM = "Compute/Files/FileSystem"
VPC = "vpc-0123456789abcdef0"
SUBNETS = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]


@pytest.fixture(scope="module")
def efs(templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates["Efs"]


def mounts(efs: StackTemplate, function: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = efs.resources[function].properties["FileSystemConfigs"]
    return found


def test_the_function_mounts_the_readers_access_point_and_loads_the_deployed_model(efs: StackTemplate):
    variables = efs.resources["Compute/Function"].properties["Environment"]["Variables"]
    model = efs.only("Custom::ModelOnEfs").properties

    assert mounts(efs, "Compute/Function") == [
        {"Arn": f"{ACCESS_POINTS}/<{FILE_SYSTEM}/Reader>", "LocalMountPath": "/mnt/model"}
    ]
    assert variables["MODEL_S3_URI"] == f"/mnt/model/{model['Name']}"
    assert model["Name"] == f"model-{variables['MODEL_SHA256']}.onnx"
    assert model["Sha256"] == variables["MODEL_SHA256"]
    assert variables["MODEL_LOADING"] == "eager"


def test_both_access_points_make_a_folder_that_only_the_loader_may_write_to(efs: StackTemplate):
    points = {resource.path: resource.properties for resource in efs.of_type("AWS::EFS::AccessPoint")}
    owner = {"OwnerUid": "1000", "OwnerGid": "1000", "Permissions": "755"}

    assert {path: point["PosixUser"]["Uid"] for path, point in points.items()} == {
        f"{FILE_SYSTEM}/Reader": "2000",
        f"{FILE_SYSTEM}/Writer": "1000",
    }
    for point in points.values():
        assert point["RootDirectory"] == {"Path": "/models", "CreationInfo": owner}


@pytest.mark.parametrize(
    ("role", "point", "actions"),
    [
        ("Compute/FunctionRole", "Reader", ["elasticfilesystem:ClientMount"]),
        (
            "Compute/Files/LoaderRole",
            "Writer",
            ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
        ),
    ],
)
def test_only_the_loaders_role_may_write_and_each_only_through_its_access_point(
    efs: StackTemplate, role: str, point: str, actions: list[str]
):
    statements = [entry for entry in efs.statements(role) if "elasticfilesystem" in str(entry["Action"])]

    assert statements == [
        {
            "Action": actions if len(actions) > 1 else actions[0],
            "Effect": "Allow",
            "Resource": f"<{FILE_SYSTEM}.Arn>",
            "Condition": {
                "StringEquals": {"elasticfilesystem:AccessPointArn": f"{ACCESS_POINTS}/<{FILE_SYSTEM}/{point}>"}
            },
        }
    ]


def test_the_file_systems_own_policy_lets_nobody_in_and_nobody_without_tls(efs: StackTemplate):
    """With any policy, EFS takes only clients whose roles say so."""
    [statement] = efs.resources[FILE_SYSTEM].properties["FileSystemPolicy"]["Statement"]

    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Principal"] in ("*", {"AWS": "*"})


def test_files_are_encrypted_and_go_with_the_stack(synthesis_of: Callable[[str], Synthesis], efs: StackTemplate):
    with_key = synthesis_of("customer key").templates["Efs"].resources[FILE_SYSTEM].properties

    assert efs.resources[FILE_SYSTEM].properties["Encrypted"] is True
    assert efs.resources[FILE_SYSTEM].definition["DeletionPolicy"] == "Delete"
    assert efs.resources[FILE_SYSTEM].properties["ThroughputMode"] == "elastic"
    assert with_key["KmsKeyId"] == "<Key.Arn>"


def test_the_model_is_there_before_the_version_and_stays_until_that_is_gone(efs: StackTemplate):
    """CloudFormation deletes in the reverse order; and the resource of another model has another logical id."""
    [version] = [resource.path for resource in efs.of_type("AWS::Lambda::Version")]
    before_version = efs.created_before(version)
    model = efs.only("Custom::ModelOnEfs")
    before_model = efs.created_before(model.path)

    assert {model.path, "Compute/FunctionRole/Mount"} <= before_version
    assert model.properties["Sha256"][:16] in model.path
    assert {
        "Compute/Files/LoaderRole/DefaultPolicy",
        "Compute/Files/LoaderRole/Mount",
        "Compute/Files/ProviderRole/DefaultPolicy",
        "Compute/Network/Vpc/S3",
        f"{FILE_SYSTEM}/Writer",
    } <= before_model
    assert len([path for path in before_model if "EfsMountTarget" in path]) == 2


@pytest.mark.parametrize("function", ["Compute/Function", "Compute/Files/Loader"])
def test_a_function_can_reach_the_file_system_before_it_can_be_invoked(efs: StackTemplate, function: str):
    group = f"<{function}SecurityGroup.GroupId>"
    rules = {
        rule.path
        for kind, end in (("Ingress", "SourceSecurityGroupId"), ("Egress", "GroupId"))
        for rule in efs.of_type(f"AWS::EC2::SecurityGroup{kind}")
        if rule.properties[end] == group
    }

    assert len(rules) == 2
    assert rules <= efs.created_before(function)


def test_a_replaced_file_system_is_loaded_again(efs: StackTemplate):
    """CloudFormation updates a custom resource only if a property of it changes."""
    assert efs.only("Custom::ModelOnEfs").properties["FileSystemId"] == f"<{FILE_SYSTEM}>"


def test_s3_invokes_the_version_whose_model_is_there(efs: StackTemplate):
    assert efs.only("AWS::Lambda::Permission").properties["FunctionName"] == "<Compute/Live>"


def test_another_model_is_another_file_and_another_version(tmp_path: Path):
    def ids(model: Path) -> set[str]:
        app = new_app(tmp_path / "assembly")
        stack = Stack(app, "Stack")
        artifact = ModelArtifact(stack, "Model", path=model)
        EfsLambda(stack, "Compute", storage=PipelineStorage(stack, "Storage"), model=artifact)
        resources = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
        kinds = ("Custom::ModelOnEfs", "AWS::Lambda::Version")
        return {key for key, resource in resources.items() if resource["Type"] in kinds}

    one = write_model(tmp_path / "one.onnx")
    other = write_model(tmp_path / "other.onnx", metadata={**CONTRACT, "version": "2"})

    assert len(ids(one)) == 2
    assert ids(one) & ids(other) == set()


def test_function_and_loader_reach_the_file_system_by_nfs_and_nothing_else_does(efs: StackTemplate):
    ingress = {rule.properties["SourceSecurityGroupId"] for rule in efs.of_type("AWS::EC2::SecurityGroupIngress")}
    ports = {
        (rule.properties["FromPort"], rule.properties["ToPort"])
        for kind in ("Ingress", "Egress")
        for rule in efs.of_type(f"AWS::EC2::SecurityGroup{kind}")
    }

    assert ports == {(2049, 2049)}
    assert ingress == {
        "<Compute/FunctionSecurityGroup.GroupId>",
        "<Compute/Files/LoaderSecurityGroup.GroupId>",
    }


def test_without_a_vpc_it_makes_one_without_internet_access(efs: StackTemplate):
    kinds = {resource.type for resource in efs.resources.values()}

    assert "AWS::EC2::VPC" in kinds
    assert not kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway"}


# By name: (the VPC's id, its subnets, its construct id, the key's ARN, "own" for a key of the stack).
PLACES: dict[str, tuple[str, list[str], str, str | None]] = {
    "before": (VPC, SUBNETS, "Vpc", None),
    "construct": (VPC, SUBNETS, "Network", None),
    "vpc": ("vpc-0fedcba9876543210", SUBNETS, "Vpc", None),
    "subnets": (VPC, SUBNETS[::-1], "Vpc", None),
    "own key": (VPC, SUBNETS, "Vpc", "own"),
    "key": (VPC, SUBNETS, "Vpc", "arn:aws:kms:us-east-1:123456789012:key/1"),
    "other key": (VPC, SUBNETS, "Vpc", "arn:aws:kms:us-east-1:123456789012:key/2"),
}


@pytest.fixture(scope="module")
def ids(tmp_path_factory: pytest.TempPathFactory, model_path: Path) -> dict[str, dict[str, str]]:
    """Logical ids, and names of policies, by place and construct."""
    app = new_app(tmp_path_factory.mktemp("assembly"))

    def ids_in(stack: Stack, vpc_id: str, subnets: list[str], construct_id: str, key_arn: str | None) -> dict[str, str]:
        vpc = ec2.Vpc.from_vpc_attributes(
            stack, construct_id, vpc_id=vpc_id, availability_zones=["zone-0", "zone-1"], private_subnet_ids=subnets
        )
        key: kms.IKey | None = None
        if key_arn:
            key = kms.Key(stack, "Key") if key_arn == "own" else kms.Key.from_key_arn(stack, "Key", key_arn)
        compute = EfsLambda(
            stack,
            "Compute",
            storage=PipelineStorage(stack, "Storage"),
            model=ModelArtifact(stack, "Model", path=model_path),
            options=FunctionOptions(vpc=vpc, encryption_key=key),
        )
        files = compute.files.file_system
        named = {
            "version": compute.function.current_version,
            "file system": files,
            **{name: files.node.find_child(name) for name in ("Reader", "Writer")},
        }
        policies = [
            each for each in compute.node.find_all() if isinstance(each, iam.Policy) and each.node.id == "Mount"
        ]
        return {
            **{
                name: stack.resolve(cast(CfnElement, each.node.default_child).logical_id)
                for name, each in named.items()
            },
            **{each.node.path.partition("/")[2]: stack.resolve(each.policy_name) for each in policies},
        }

    return {name: ids_in(Stack(app, f"Stack{number}"), *place) for number, (name, place) in enumerate(PLACES.items())}


@pytest.mark.parametrize("place", [name for name in PLACES if name not in ("before", "construct")])
def test_in_another_network_and_with_another_key_all_that_holds_the_model_is_another_resource(
    ids: dict[str, dict[str, str]], place: str
):
    """So a new version is published, and the live one keeps what it mounts, and may, until the update's cleanup.

    With the same ids CloudFormation would replace them, and CDK would not publish. And EFS refuses mount targets in a
    second VPC, or a second one in a zone: CloudFormation makes the new ones first.
    """
    others = [ids[name] for name in PLACES if name != place]

    assert len(ids[place]) == 6
    for what, identifier in ids[place].items():
        assert identifier not in [other[what] for other in others], what


def test_in_the_same_network_under_another_construct_id_nothing_is_replaced(ids: dict[str, dict[str, str]]):
    assert ids["construct"] == ids["before"]


def test_the_settings_own_network_has_another_file_system(synthesis_of: Callable[[str], Synthesis], efs: StackTemplate):
    def id_of(template: StackTemplate) -> str:
        [found] = [key for key, value in template.body["Resources"].items() if value["Type"] == "AWS::EFS::FileSystem"]
        return str(found)

    assert id_of(efs) != id_of(synthesis_of("isolated").templates["Efs"])


def test_in_an_isolated_network_there_is_one_vpc(synthesis_of: Callable[[str], Synthesis]):
    assert synthesis_of("isolated").templates["Efs"].only("AWS::EC2::VPC").path == "Network/Vpc"


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(new_app(tmp_path / "assembly"), "Stack")


def test_an_existing_vpc_gets_a_mount_target_in_each_subnet(stack: Stack, model_path: Path):
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["zone-0", "zone-1"], private_subnet_ids=SUBNETS
    )
    model = ModelArtifact(stack, "Model", path=model_path)
    options = FunctionOptions(vpc=vpc)
    EfsLambda(
        stack, "Compute", storage=PipelineStorage(stack, "Storage"), model=model, model_loading="lazy", options=options
    )
    app = stack.node.root
    assert isinstance(app, App)
    template = StackTemplate.of(app, stack)

    assert [target.properties["SubnetId"] for target in template.of_type("AWS::EFS::MountTarget")] == SUBNETS
    assert not template.of_type("AWS::EC2::VPC")
    variables = template.resources["Compute/Function"].properties["Environment"]["Variables"]
    assert variables["MODEL_LOADING"] == "lazy"


def test_snapstart_is_refused_by_name(stack: Stack, model_path: Path):
    class Both(EfsLambda):
        snap_start = lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS

    with pytest.raises(rules.InvalidValueError, match=r"Stack/Compute/Function has SnapStart and an EFS file system"):
        Both(
            stack,
            "Compute",
            storage=PipelineStorage(stack, "Storage"),
            model=ModelArtifact(stack, "Model", path=model_path),
        )


def test_an_unknown_way_of_loading_is_refused(stack: Stack, model_path: Path):
    with pytest.raises(rules.InvalidValueError, match="model_loading"):
        EfsLambda(
            stack,
            "Compute",
            storage=PipelineStorage(stack, "Storage"),
            model=ModelArtifact(stack, "Model", path=model_path),
            model_loading="never",
        )
