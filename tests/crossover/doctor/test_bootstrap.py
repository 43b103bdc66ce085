"""Whether the account and region are prepared for the CDK."""

import dataclasses

from crossover.doctor import bootstrap
from crossover.doctor.plan import Image
from tests.crossover.doctor.stubs import Aws, run, stack

ENVIRONMENT, BOOTSTRAP = bootstrap.CHECKS
PARAMETER = "/cdk-bootstrap/hnb659fds/version"
STACK = stack(
    bootstrap_parameter=PARAMETER,
    bootstrap_version=6,
    buckets=frozenset({"cdk-assets-${AWS::AccountId}-${AWS::Region}"}),
    images=(Image(repository="cdk-images-${AWS::AccountId}-${AWS::Region}", tag="t"),),
)
COMMAND = "`npx cdk bootstrap aws://123456789012/us-east-1`"


def has_version(aws: Aws, version: str) -> None:
    aws.answers("ssm", "get_parameter", {"Parameter": {"Value": version}}, Name=PARAMETER)


def test_a_stack_without_an_account_or_with_this_one_is_fine(aws: Aws) -> None:
    assert run(ENVIRONMENT, aws, stack(), stack(account="123456789012", region="us-east-1")) == []


def test_a_stack_of_the_users_own_app_is_deployed_to_where_it_is_pinned_but_not_checked(aws: Aws) -> None:
    for pinned in {"account": "210987654321"}, {"region": "eu-west-1"}:
        [(status, found, todo)] = run(ENVIRONMENT, aws, stack(**pinned))
        assert (status, "the checks below are of here" in found) == ("warning", True)
        assert todo.startswith("To check there: ")


def test_a_stack_of_this_app_for_another_account_or_region_fails_since_the_app_refuses(aws: Aws) -> None:
    pinned = stack(account="210987654321", region="eu-west-1", outputs={"Protection": "encryption=aws"})
    assert run(ENVIRONMENT, aws, pinned) == [
        (
            "fails",
            "the stack Crossover-Standard is for the account 210987654321, the credentials are of 123456789012",
            "Use credentials of that account.",
        ),
        (
            "fails",
            "the stack Crossover-Standard is for eu-west-1, the region is us-east-1",
            "Set AWS_REGION=eu-west-1.",
        ),
    ]


def test_a_prepared_account_is_fine(aws: Aws) -> None:
    has_version(aws, "30")
    aws.answers("s3", "head_bucket", {}, Bucket="cdk-assets-123456789012-us-east-1")
    aws.answers("ecr", "describe_repositories", {}, repositoryNames=["cdk-images-123456789012-us-east-1"])
    assert run(BOOTSTRAP, aws, STACK, dataclasses.replace(STACK, id="SnapStart")) == [("ok", "version 30", "")]


def test_an_account_that_was_never_bootstrapped_fails(aws: Aws) -> None:
    aws.refuses("ssm", "get_parameter", "ParameterNotFound")
    assert run(BOOTSTRAP, aws, STACK) == [
        ("fails", f"there is no SSM parameter {PARAMETER} in us-east-1", f"Run {COMMAND}.")
    ]


def test_an_old_version_fails(aws: Aws) -> None:
    has_version(aws, "5")
    assert run(BOOTSTRAP, aws, STACK) == [("fails", "its version is 5, and at least 6 is needed", f"Run {COMMAND}.")]


def test_a_version_that_is_no_number_is_said(aws: Aws) -> None:
    has_version(aws, "new")
    [(status, found, _)] = run(BOOTSTRAP, aws, STACK)
    assert (status, "is not as expected" in found) == ("unknown", True)


def test_a_bucket_and_a_repository_that_were_deleted_fail(aws: Aws) -> None:
    has_version(aws, "30")
    aws.refuses("s3", "head_bucket", "404")
    aws.refuses("ecr", "describe_repositories", "RepositoryNotFoundException")
    todo = f"Delete the stack CDKToolkit, then run {COMMAND}."
    assert run(BOOTSTRAP, aws, STACK) == [
        ("ok", "version 30", ""),
        ("fails", "the bucket cdk-assets-123456789012-us-east-1 of assets is gone", todo),
        ("fails", "the repository cdk-images-123456789012-us-east-1 of images is gone", todo),
    ]


def test_what_may_not_be_asked_is_named_and_what_was_asked_counts(aws: Aws) -> None:
    has_version(aws, "30")
    aws.refuses("s3", "head_bucket", "403")
    assert run(BOOTSTRAP, aws, STACK)[:2] == [
        ("ok", "version 30", ""),
        ("unknown", "could not be checked: needs s3:ListBucket", "Ask for this permission, or check by hand."),
    ]
