"""What a deployment would create: read from a cloud assembly, which the project's app writes."""

import json
from pathlib import Path

import pytest

from crossover.doctor.plan import Image, read_plan, synthesize
from crossover.errors import CrossoverError, UsageError


def write_assembly(folder: Path) -> Path:
    """A stack with an image, pinned to an account and region, and one without assets."""
    parameter = {"bootstrapStackVersionSsmParameter": "/cdk-bootstrap/mine/version", "requiresBootstrapStackVersion": 6}
    artifacts = {
        "One.assets": {"type": "cdk:asset-manifest", "properties": {"file": "One.assets.json"}},
        "One": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://123456789012/eu-west-1",
            "properties": {"templateFile": "One.template.json", "stackName": "Mine-One", **parameter},
            "dependencies": ["One.assets"],
            "metadata": {"/One": [{"type": "aws:cdk:warning", "data": "Beware. [ack: beware]"}]},
            "additionalMetadataFile": "One.metadata.json",
            "displayName": "One",
        },
        "Two": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": "Two.template.json", "stackName": "Mine-Two"},
            "displayName": "Two",
        },
        "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
    }
    image = {
        "source": {"directory": "asset.1", "platform": "linux/amd64", "dockerOutputs": ["type=image"]},
        "destinations": {"here": {"repositoryName": "images", "imageTag": "abc"}},
    }
    assets = {
        "files": {"1": {"source": {}, "destinations": {"here": {"bucketName": "assets"}}}},
        "dockerImages": {"2": image},
    }
    template = {
        "Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 512}}},
        "Outputs": {"Predictor": {"Value": "standard"}, "FunctionName": {"Value": {"Ref": "Function"}}},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
    (folder / "One.assets.json").write_text(json.dumps(assets))
    (folder / "One.template.json").write_text(json.dumps(template))
    entries = [{"type": "aws:cdk:error", "data": "No."}, {"type": "aws:cdk:logicalId", "data": "Function"}]
    (folder / "One.metadata.json").write_text(json.dumps({"/One/Function": entries}))
    (folder / "Two.template.json").write_text("{}")
    return folder


def test_an_assembly_is_read(tmp_path: Path) -> None:
    plan = read_plan(write_assembly(tmp_path))
    one, two = plan.stacks
    assert plan.is_everything
    assert (one.id, one.name, one.account, one.region) == ("One", "Mine-One", "123456789012", "eu-west-1")
    assert (one.bootstrap_parameter, one.bootstrap_version) == ("/cdk-bootstrap/mine/version", 6)
    assert one.buckets == {"assets"}
    assert one.images == (Image(repository="images", tag="abc", platform="linux/amd64", outputs=("type=image",)),)
    assert (one.warnings, one.errors) == (("Beware.",), ("No.",))
    assert one.outputs == {"Predictor": "standard"}  # the function's name is not known yet
    assert (two.name, two.account, two.region, two.images, two.outputs) == ("Mine-Two", "", "", (), {})
    assert plan.properties("AWS::Lambda::Function") == [{"MemorySize": 512}]


def test_stacks_are_selected_as_the_cdk_does(tmp_path: Path) -> None:
    assembly = write_assembly(tmp_path)
    assert [stack.id for stack in read_plan(assembly, ["T*"]).stacks] == ["Two"]
    assert not read_plan(assembly, ["T*"]).is_everything
    assert read_plan(assembly, ["One", "Two"]).is_everything
    with pytest.raises(UsageError, match=r"^There is no stack 'Three'; the app has One, Two\.$"):
        read_plan(assembly, ["One", "Three"])


def write_stage(folder: Path) -> Path:
    """An assembly with a stage, whose stacks are in an assembly of its own."""
    nested = write_assembly(folder / "assembly-Stage")
    manifest = json.loads((nested / "manifest.json").read_text())
    for artifact in manifest["artifacts"].values():
        artifact |= {"displayName": f"Stage/{artifact['displayName']}"} if "displayName" in artifact else {}
    (nested / "manifest.json").write_text(json.dumps(manifest))
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Stage"}}
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": {"assembly-Stage": stage}}))
    return folder


def test_the_stacks_of_a_stage_are_read_and_selected_as_the_cdk_does(tmp_path: Path) -> None:
    assembly = write_stage(tmp_path)
    plan = read_plan(assembly)
    assert plan.is_everything
    assert [(stack.id, stack.name, len(stack.images)) for stack in plan.stacks] == [
        ("Stage/One", "Mine-One", 1),
        ("Stage/Two", "Mine-Two", 0),
    ]
    assert [stack.id for stack in read_plan(assembly, ["Stage/T*"]).stacks] == ["Stage/Two"]
    assert read_plan(assembly, ["**"]).is_everything
    with pytest.raises(UsageError, match=r"^There is no stack '\*'; the app has Stage/One, Stage/Two\.$"):
        read_plan(assembly, ["*"])


@pytest.mark.parametrize("manifest", [{"version": "55.0.0"}, {"version": "55.0.0", "artifacts": {}}])
def test_an_app_without_a_stack_is_refused(tmp_path: Path, manifest: object) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match=r"^The app has no stack; it must have at least one\.$"):
        read_plan(tmp_path)


def test_a_folder_without_an_assembly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no cloud assembly"):
        read_plan(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UsageError, match="holds no cloud assembly"):
        read_plan(tmp_path)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose app shows what it is given."""
    context = {"variants": "standard", "memory_mb": 4096}
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "python3 app.py", "context": context}))
    (tmp_path / "app.py").write_text(
        "import json, os, sys\n"
        "context = json.loads(os.environ['CDK_CONTEXT_JSON'])\n"
        "if context['memory_mb'] == '1':\n"
        "    sys.exit('a warning\\ncrossover: The setting memory_mb is 1.')\n"
        "names = ('CDK_DEFAULT_ACCOUNT', 'CDK_DEFAULT_REGION')\n"
        "shown = [context, {name: os.environ.get(name) for name in names}]\n"
        "open(os.environ['CDK_OUTDIR'] + '/shown.json', 'w').write(json.dumps(shown))\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_app_gets_the_projects_settings_and_those_of_the_command_line(project: Path) -> None:
    synthesize(project, {"memory_mb": "512"}, account="123456789012", region="eu-west-1")
    context, account = json.loads((project / "shown.json").read_text())
    assert context == {"variants": "standard", "memory_mb": "512", "aws:cdk:bundling-stacks": []}
    assert account == {"CDK_DEFAULT_ACCOUNT": "123456789012", "CDK_DEFAULT_REGION": "eu-west-1"}


def test_the_app_gets_what_the_cdk_has_looked_up(project: Path) -> None:
    (project / "cdk.context.json").write_text('{"vpc-provider:1": {"vpcId": "vpc-1"}}')
    synthesize(project, {}, account="123456789012", region="eu-west-1")
    context, _ = json.loads((project / "shown.json").read_text())
    assert context["vpc-provider:1"] == {"vpcId": "vpc-1"}


def test_without_credentials_the_app_knows_no_account(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "210987654321")
    synthesize(project, {}, account="", region="")
    _, account = json.loads((project / "shown.json").read_text())
    assert account == {"CDK_DEFAULT_ACCOUNT": None, "CDK_DEFAULT_REGION": None}


def test_what_the_app_says_is_the_error(project: Path) -> None:
    with pytest.raises(CrossoverError, match=r"^The setting memory_mb is 1\.$"):
        synthesize(project, {"memory_mb": "1"}, account="", region="")


def test_an_app_that_cannot_be_started_is_said(project: Path) -> None:
    (project / "cdk.json").write_text('{"app": "no-such-program"}')
    with pytest.raises(CrossoverError, match=r"^The app no-such-program cannot be run: No such file or directory\.$"):
        synthesize(project, {}, account="", region="")
