"""The context becomes valid settings, or one line that says what is wrong."""

import json
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from aws_cdk import App

from crossover.cdk.compute import VARIANTS
from crossover.cdk.python_function import FunctionOptions
from stacks.settings import Settings, SettingsError, markdown_table

CDK_JSON = Path(__file__).resolve().parents[2] / "cdk.json"
KEYS = [field.name for field in fields(Settings)]
KEY = "arn:aws:kms:eu-west-1:123456789012:key/"


def from_context(**context: object) -> Settings:
    return Settings.from_context(App(context=context).node)


def test_without_context_the_documented_defaults_apply():
    settings = from_context()

    assert settings == Settings()
    assert settings.variants == ("standard", "snapstart", "sagemaker")
    assert (settings.memory_mb, settings.timeout_seconds, settings.proxy_memory_mb) == (4096, 120, 128)
    assert (settings.instance_type, settings.instance_count) == ("ml.t2.medium", 1)


def test_cdk_json_shows_the_settings_at_their_defaults():
    context = json.loads(CDK_JSON.read_text())["context"]

    assert from_context(**context) == Settings()
    assert [key for key in KEYS if key not in context] == ["local_python"]  # which only the local AWS sets


def test_the_functions_are_made_with_the_same_defaults_when_the_constructs_are_used_alone():
    assert Settings().function_options == FunctionOptions()


def test_the_table_has_a_row_for_each_setting():
    rows = markdown_table().splitlines()[2:]

    assert [row.split("|")[1].strip() for row in rows] == [f"`{key}`" for key in KEYS]


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("variants", "all", tuple(VARIANTS)),
        ("variants", "standard,snapstart", ("standard", "snapstart")),
        ("variants", "sagemaker, standard", ("standard", "sagemaker")),
        ("variants", ["snapstart"], ("snapstart",)),
        ("memory_mb", "2048", 2048),
        ("memory_mb", 2048, 2048),
        ("item_lifetime_days", "30", 30),
        ("item_lifetime_days", "none", None),
        ("item_lifetime_days", "", None),
        ("item_lifetime_days", None, None),
        ("reserved_concurrency", "5", 5),
        ("log_retention_days", "14", 14),
        ("instance_type", "ml.g4dn.xlarge", "ml.g4dn.xlarge"),
        ("instance_type", "ml.c7i.large", "ml.c7i.large"),
        ("key_prefix", "in/2026-", "in/2026-"),
        ("key_suffix", ".wav", ".wav"),
        ("removal_policy", "retain", "retain"),
        ("input_lifetime_days", "90", 90),
        ("max_channels", "2", 2),
        ("bucket_versioning", "true", True),
        ("bucket_versioning", False, False),
        ("point_in_time_recovery", True, True),
        ("encryption", "customer", "customer"),
        ("encryption_key_arn", "none", None),
        ("decryption_key_arns", None, ()),
        ("decryption_key_arns", f"{KEY}1, {KEY}2", (f"{KEY}1", f"{KEY}2")),
        ("decryption_key_arns", [f"{KEY}1"], (f"{KEY}1",)),
        ("network", "isolated", "isolated"),
        ("permissions_boundary", "team-boundary", "team-boundary"),
        ("permissions_boundary", "arn:aws:iam::123456789012:policy/a/b", "arn:aws:iam::123456789012:policy/a/b"),
        ("permissions_boundary", "", None),
        ("env", "123456789012/us-gov-west-1", "123456789012/us-gov-west-1"),
        ("env", "none", None),
        ("input_bucket", "none", None),
        ("event_source", "eventbridge", "eventbridge"),
        ("event_source", "both", "both"),
        ("ingest", "queue", "queue"),
        ("ingest", "none", None),
        ("max_concurrency", "none", None),
        ("log_level", "error", "error"),
        ("tags", {}, ()),
        ("tags", {"team": "audio", "cost-center": "12"}, (("cost-center", "12"), ("team", "audio"))),
        ("tags", "team=audio, cost-center=12", (("cost-center", "12"), ("team", "audio"))),
        ("tags", "note=a=b", (("note", "a=b"),)),
        ("termination_protection", "true", True),
        ("alarm_email", "ops@example.org", "ops@example.org"),
        ("tracing", "true", True),
        ("asset_key_arn", f"{KEY}1", f"{KEY}1"),
        ("monitoring", "false", False),
        ("alarm_topic_arn", "arn:aws:sns:us-east-1:123456789012:alarms", "arn:aws:sns:us-east-1:123456789012:alarms"),
        ("p99_alarm_seconds", "5", 5),
        ("rollout", "canary", "canary"),
        ("local_python", "3.11", "3.11"),
        (
            "provisioned_schedule",
            "cron(0 7 ? * MON,TUE *) 2-10, cron(0 20 * * ? *) 1-1",
            ("cron(0 7 ? * MON,TUE *) 2-10", "cron(0 20 * * ? *) 1-1"),
        ),
        ("provisioned_schedule", ["cron(0/5 7-9 L * ? *) 1-1"], ("cron(0/5 7-9 L * ? *) 1-1",)),
        ("provisioned_schedule", ["cron(0 7 15W JUL,DEC ? 2026) 1-2"], ("cron(0 7 15W JUL,DEC ? 2026) 1-2",)),
        ("provisioned_schedule", ["cron(0 7 ? 1-6 6L *) 1-2"], ("cron(0 7 ? 1-6 6L *) 1-2",)),
        ("provisioned_schedule", "none", ()),
        ("provisioned_time_zone", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("provisioned_utilization", "0.5", 0.5),
        ("model_path", "elsewhere/my model.onnx", "elsewhere/my model.onnx"),
    ],
)
def test_a_value_is_read_from_cdk_json_and_from_the_command_line(key: str, value: object, read: object):
    assert getattr(from_context(**{key: value}), key) == read


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("variants", "standard,fargate", "all, or one or more of standard, snapstart, sagemaker"),
        ("variants", "", "all, or one or more of standard, snapstart, sagemaker"),
        ("variants", [], "all, or one or more of standard, snapstart, sagemaker"),
        ("variants", 3, "all, or one or more of standard, snapstart, sagemaker"),
        ("variants", {"standard": True}, "all, or one or more of standard, snapstart, sagemaker"),
        ("stack_prefix", "my app", "1 to 64 letters, digits and hyphens, a letter first"),
        ("stack_prefix", "", "1 to 64 letters, digits and hyphens, a letter first"),
        ("stack_prefix", "1st", "1 to 64 letters, digits and hyphens, a letter first"),
        ("stack_prefix", "a" * 65, "1 to 64 letters, digits and hyphens, a letter first"),
        ("model_path", "", "the path of an ONNX file"),
        ("model_path", 7, "the path of an ONNX file"),
        ("memory_mb", 127, "a whole number from 128 to 10240"),
        ("memory_mb", "10241", "a whole number from 128 to 10240"),
        ("memory_mb", "4 GB", "a whole number from 128 to 10240"),
        ("memory_mb", 2048.5, "a whole number from 128 to 10240"),
        ("memory_mb", True, "a whole number from 128 to 10240"),
        ("memory_mb", [4096], "a whole number from 128 to 10240"),
        ("memory_mb", "9" * 5000, "a whole number from 128 to 10240"),
        ("timeout_seconds", 119, "a whole number from 120 to 900"),
        ("timeout_seconds", "901", "a whole number from 120 to 900"),
        ("proxy_memory_mb", 64, "a whole number from 128 to 10240"),
        ("instance_type", "t2.medium", "an x86_64 SageMaker hosting type"),
        ("instance_type", "ml.t3.medium", "an x86_64 SageMaker hosting type"),
        ("instance_type", "ml.t4g.medium", "an x86_64 SageMaker hosting type"),
        ("instance_type", "ml.m6g.large", "an x86_64 SageMaker hosting type"),
        ("instance_type", "ml.c7gn.large", "an x86_64 SageMaker hosting type"),
        ("instance_count", 0, "a whole number from 1 to 100"),
        ("provisioned_concurrency", 0, "a whole number from 1 to 10000"),
        ("max_provisioned_concurrency", "all", "a whole number from 1 to 10000, or none"),
        ("provisioned_utilization", "1", "a number from 0.1 to 0.9"),
        ("provisioned_schedule", "cron(0 7 * * *) 1-2", "at most 20 of: `cron(fields) least-most`"),
        ("provisioned_schedule", "cron(0 7 * * ? *) 0-1", "`cron(fields) least-most` from 1 to 10000"),
        ("provisioned_schedule", "cron(0 7 * * ? *) 2-1", "at most 20 of: `cron(fields) least-most`"),
        ("provisioned_schedule", ["cron(0 7 * * ? *) 1-2", 3], "at most 20 of: `cron(fields) least-most`"),
        ("provisioned_time_zone", "Europe/Atlantis", "a time zone as Europe/Berlin"),
        ("max_audio_seconds", 0, "a whole number from 1 to 3600"),
        ("max_file_mb", "-1", "a whole number from 1 to 2048"),
        ("key_prefix", "in/*", "no wildcards"),
        ("key_suffix", ".wav,.mp3", "no wildcards"),
        ("item_lifetime_days", 0, "a whole number from 1 to 3650, or none"),
        ("log_retention_days", 31, "one of 1, 3, 5, 7, 14, 30,"),
        ("log_retention_days", "for ever", "one of 1, 3, 5, 7, 14, 30,"),
        ("reserved_concurrency", 0, "a whole number from 1 to 10000, or none"),
        ("removal_policy", "delete", "destroy or retain"),
        ("removal_policy", "DESTROY", "destroy or retain"),
        ("input_lifetime_days", 0, "a whole number from 1 to 3650, or none"),
        ("max_channels", 65, "a whole number from 1 to 64"),
        ("bucket_versioning", "yes", "true or false"),
        ("bucket_versioning", 1, "true or false"),
        ("encryption", "kms", "aws or customer"),
        ("encryption_key_arn", "arn:aws:kms:eu-west-1:123456789012:alias/a", "the ARN of a KMS key, not of an alias"),
        ("decryption_key_arns", f"{KEY}1,alias/a", "at most 5 of: the ARN of a KMS key, not of an alias"),
        ("decryption_key_arns", [f"{KEY}1"] * 6, "at most 5 of: the ARN of a KMS key, not of an alias"),
        ("decryption_key_arns", {"a": "b"}, "at most 5 of: the ARN of a KMS key, not of an alias"),
        ("network", "private", "public or isolated"),
        ("permissions_boundary", "team boundary", "the name or ARN of a managed policy, or none"),
        ("permissions_boundary", "team/boundary", "the name or ARN of a managed policy, or none"),
        ("permissions_boundary", "arn:aws:iam::123456789012:role/a", "the name or ARN of a managed policy, or none"),
        ("input_bucket", "s3://recordings", "the name or ARN of a bucket, or none"),
        ("input_bucket", "arn:aws:s3:::recordings/in", "the name or ARN of a bucket, or none"),
        ("predictions_table", "a/b", "the name or ARN of a DynamoDB table, or none"),
        ("log_level", "debug", "info or error"),
        ("event_source", "sqs", "notification or eventbridge or both"),
        ("vpc_id", "main", "the id of a VPC such as vpc-0123456789abcdef0, or none"),
        ("subnet_ids", "subnet-1", "at most 16 of: the id of a subnet such as subnet-0123456789abcdef0"),
        ("tags", "team", "as a JSON object or key=value with commas between"),
        ("tags", {"aws:team": "audio"}, "no key beginning with aws:"),
        ("tags", {"AwS:team": "audio"}, "no key beginning with aws:"),
        ("tags", {"team": 7}, "at most 40 tags"),
        ("tags", {str(number): "" for number in range(41)}, "at most 40 tags"),
        ("tags", 7, "at most 40 tags"),
        ("termination_protection", "on", "true or false"),
        ("alarm_email", "ops", "an e-mail address, or none"),
        ("alarm_email", "a@b.c,d@e.f", "an e-mail address, or none"),
        ("tracing", "active", "true or false"),
        ("env", "eu-west-1", "an account and region as 123456789012/eu-west-1, or none"),
        ("env", "1234/eu-west-1", "an account and region as 123456789012/eu-west-1, or none"),
        ("asset_key_arn", "alias/assets", "the ARN of a KMS key, not of an alias, or none"),
        ("monitoring", "on", "true or false"),
        ("alarm_topic_arn", "alarms", "the ARN of an SNS topic, or none"),
        ("p99_alarm_seconds", 0, "a whole number from 1 to 900"),
        ("rollout", "blue-green", "all-at-once or canary"),
        ("bundling", "podman", "local or docker"),
        ("local_python", "python3", "a Python version such as 3.12, or none"),
        ("local_python", 3.12, "a Python version such as 3.12, or none"),
    ],
)
def test_a_wrong_value_is_one_line_with_the_key_the_value_and_what_is_allowed(key: str, value: object, allowed: str):
    with pytest.raises(SettingsError) as error:
        from_context(**{key: value})

    message = str(error.value)
    assert message.startswith(f"The setting {key} is {value!r}, but must be ")
    assert allowed in message
    assert "\n" not in message


def test_a_wrong_value_from_code_is_refused_too():
    with pytest.raises(SettingsError, match="memory_mb is 64, but must be a whole number from 128 to 10240"):
        Settings(memory_mb=64)


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(FrozenInstanceError):
        Settings().memory_mb = 64  # type: ignore[misc]


@pytest.mark.parametrize("key", ["memroy_mb", "variant", "memoryMb", "MEMORY_MB"])
def test_a_misspelt_setting_is_an_error_that_lists_the_settings(key: str):
    with pytest.raises(SettingsError) as error:
        from_context(**{key: "2048"})

    assert str(error.value) == f"There is no setting {key} (= '2048'); allowed are {', '.join(KEYS)}."


def test_the_context_of_the_cdk_and_of_other_tools_is_left_alone():
    context = {
        "@aws-cdk/aws-iam:minimizePolicies": True,
        "aws:cdk:bundling-stacks": [],
        "availability-zones:account=1:region=us-east-1": ["us-east-1a"],
        "cdk-migrate": True,
        "other.tool": "x",
    }

    assert from_context(**context) == Settings()


def test_a_bundle_for_the_local_python_cannot_come_from_docker():
    with pytest.raises(SettingsError, match=r"local_python is 3\.11, but must be none where bundling is docker"):
        from_context(bundling="docker", local_python="3.11")


@pytest.mark.parametrize("here", ["210987654321/eu-west-1", "123456789012/us-east-1"])
def test_with_credentials_of_another_account_or_region_nothing_is_synthesized(
    monkeypatch: pytest.MonkeyPatch, here: str
):
    for variable, value in zip(("CDK_DEFAULT_ACCOUNT", "CDK_DEFAULT_REGION"), here.split("/"), strict=True):
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as error:
        _ = from_context(env="123456789012/eu-west-1").environment

    assert str(error.value).startswith(
        f"The setting env is 123456789012/eu-west-1, but the credentials are for {here}:"
    )


def test_with_these_credentials_or_none_the_pinned_stacks_are_synthesized(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CDK_DEFAULT_REGION", "us-east-1")  # the CDK's own choice where nothing names a region
    monkeypatch.delenv("CDK_DEFAULT_ACCOUNT", raising=False)
    assert from_context(env="123456789012/eu-west-1").environment is not None

    monkeypatch.setenv("CDK_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "123456789012")
    assert from_context(env="123456789012/eu-west-1").environment is not None
    assert from_context().environment is None


def test_a_key_for_encrypting_is_refused_where_keys_of_aws_encrypt():
    with pytest.raises(
        SettingsError, match=r"encryption_key_arn is .*, but must be none where encryption is aws; keys"
    ):
        from_context(encryption_key_arn=f"{KEY}1")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"input_bucket": "a-b", "bucket_versioning": "true"},
            "bucket_versioning is true, but must be false where input_bucket is set: what exists already is not",
        ),
        (
            {"input_bucket": "a-b", "input_lifetime_days": "9"},
            "input_lifetime_days is 9, but must be none where input_bucket is set",
        ),
        (
            {"predictions_table": "a-b", "point_in_time_recovery": "true"},
            "point_in_time_recovery is true, but must be false where predictions_table is set",
        ),
        (
            {"predictions_table": "a-b", "variants": "standard,snapstart"},
            "variants is standard,snapstart, but must be one where predictions_table is set, as they would overwrite",
        ),
        (
            {"input_bucket": "a-b", "variants": "standard,snapstart"},
            "variants is standard,snapstart, but must be one where input_bucket is set, as S3 notifies one function",
        ),
        (
            {"input_bucket": "a-b", "variants": "standard,snapstart", "event_source": "both"},
            "variants is standard,snapstart, but must be one where input_bucket is set, as S3 notifies one function",
        ),
        (
            {"max_concurrency": 4, "ingest": "direct"},
            "max_concurrency is 4, but must be none where ingest is direct",
        ),
        (
            {"reserved_concurrency": 1, "ingest": "queue"},
            "reserved_concurrency is 1, but must be none or at least 2 where uploads for standard wait in a queue",
        ),
        (
            {"max_concurrency": 21, "ingest": "queue", "reserved_concurrency": 20},
            "max_concurrency is 21, but must be at most 20 where reserved_concurrency is 20",
        ),
        *(
            (
                {"variants": "provisioned", "max_concurrency": 4, "ingest": "queue", **kept_ready},
                "max_concurrency is 4, but must be at least 5 where so many execution environments are kept ready",
            )
            for kept_ready in (
                {"provisioned_concurrency": 5},
                {"max_provisioned_concurrency": 9, "provisioned_schedule": "cron(0 7 * * ? *) 5-9"},
            )
        ),
        (
            {"vpc_id": "vpc-01234567"},
            "vpc_id is vpc-01234567 and subnet_ids is empty, but both or neither must be set.",
        ),
        ({"subnet_ids": "subnet-01234567"}, "vpc_id is none and subnet_ids is subnet-01234567, but both or neither"),
        (
            {"vpc_id": "vpc-01234567", "subnet_ids": "subnet-01234567", "network": "isolated"},
            "vpc_id is vpc-01234567, but must be none where network is isolated, which makes a VPC.",
        ),
    ],
)
def test_what_would_have_no_effect_on_what_exists_already_is_refused(settings: dict[str, str], message: str):
    with pytest.raises(SettingsError) as error:
        from_context(**{"variants": "standard", **settings})

    assert str(error.value).startswith(f"The setting {message}")


@pytest.mark.parametrize(
    ("name", "service", "rest"),
    [
        ("predictions_table", "dynamodb", "table/findings"),
        ("encryption_key_arn", "kms", "key/1"),
        ("decryption_key_arns", "kms", "key/1"),
        ("asset_key_arn", "kms", "key/1"),
        ("alarm_topic_arn", "sns", "alarms"),
    ],
)
def test_an_arn_of_another_region_than_env_is_refused(name: str, service: str, rest: str):
    settings = {"env": "123456789012/eu-west-1", "variants": "standard", "encryption": "customer"}
    arn = f"arn:aws:{service}:us-east-1:123456789012:{rest}"

    with pytest.raises(SettingsError) as error:
        from_context(**settings, **{name: arn})

    assert str(error.value) == (
        f"The setting {name} is {arn}, but must be in eu-west-1 where env is 123456789012/eu-west-1."
    )
    assert from_context(**settings, **{name: arn.replace("us-east-1", "eu-west-1")}).env == settings["env"]
    assert from_context(**settings | {"env": "none"}, **{name: arn}).env is None


def test_a_table_of_another_account_than_env_is_refused():
    table = "arn:aws:dynamodb:eu-west-1:210987654321:table/findings"
    with pytest.raises(SettingsError, match="but must be in 123456789012 where env is 123456789012/eu-west-1"):
        from_context(env="123456789012/eu-west-1", variants="standard", predictions_table=table)


def test_several_variants_share_an_existing_bucket_through_eventbridge():
    assert from_context(input_bucket="a-b", event_source="eventbridge").variants == Settings().variants


def test_an_alarm_topic_without_alarms_is_refused():
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    with pytest.raises(SettingsError, match=r"alarm_topic_arn is .*, but must be none where monitoring is false"):
        from_context(monitoring="false", alarm_topic_arn=topic)


def test_an_address_for_alarms_is_refused_without_alarms_and_beside_a_topic():
    with pytest.raises(SettingsError, match=r"alarm_email is a@b\.c, but must be none where monitoring is false"):
        from_context(monitoring="false", alarm_email="a@b.c")
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    with pytest.raises(SettingsError, match=r"alarm_email is a@b\.c, but must be none where alarm_topic_arn is set"):
        from_context(alarm_topic_arn=topic, alarm_email="a@b.c")


def test_an_alarm_that_could_never_go_off_is_refused():
    with pytest.raises(SettingsError, match="p99_alarm_seconds is 120, but must be below timeout_seconds, 120"):
        from_context(p99_alarm_seconds="120")
    assert from_context(p99_alarm_seconds="120", timeout_seconds="121").p99_alarm_seconds == 120
