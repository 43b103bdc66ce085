"""Whether the account and region are prepared for the CDK: `npx cdk bootstrap`."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from crossover.doctor.context import Context
from crossover.doctor.result import Check, Outcome, fails, ok, warning


def check_environment(context: Context) -> Iterator[Outcome]:
    """Whether the stacks that pin an account or a region pin these.

    The CDK deploys a stack to where it is pinned, whatever the credentials' region; only this project's app refuses.
    """
    for stack in context.plan.stacks:
        say = fails if stack.has_settings else _elsewhere
        if context.account and stack.account not in ("", context.account):
            yield say(
                f"the stack {stack.name} is for the account {stack.account}, the credentials are of {context.account}",
                "Use credentials of that account.",
            )
        if stack.region not in ("", context.region):
            yield say(
                f"the stack {stack.name} is for {stack.region}, the region is {context.region}",
                f"Set AWS_REGION={stack.region}.",
            )


def _elsewhere(what: str, todo: str) -> Outcome:
    return warning(f"{what}: the CDK deploys it there, but the checks below are of here", f"To check there: {todo}")


def check_bootstrap(context: Context) -> Iterator[Outcome]:
    """The version of the CDK's own stack, and the bucket and repository that take the assets."""
    command = f"npx cdk bootstrap aws://{context.account}/{context.region}"
    needed = {
        stack.bootstrap_parameter: stack.bootstrap_version for stack in context.plan.stacks if stack.bootstrap_parameter
    }
    for parameter, lowest in needed.items():
        try:
            value = context.clients("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            yield fails(f"there is no SSM parameter {parameter} in {context.region}", f"Run `{command}`.")
            return
        if int(value) < lowest:
            yield fails(f"its version is {value}, and at least {lowest} is needed", f"Run `{command}`.")
            return
        yield ok(f"version {value}")
    yield from _check_assets(context, f"Delete the stack CDKToolkit, then run `{command}`.")


def _check_assets(context: Context, todo: str) -> Iterator[Outcome]:
    for bucket in sorted({context.here(bucket) for stack in context.plan.stacks for bucket in stack.buckets}):
        try:
            context.clients("s3").head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
                raise
            yield fails(f"the bucket {bucket} of assets is gone", todo)
    images = [image for stack in context.plan.stacks for image in stack.images]
    for name in sorted({context.here(image.repository) for image in images}):
        try:
            context.clients("ecr").describe_repositories(repositoryNames=[name])
        except ClientError as error:
            if error.response["Error"]["Code"] != "RepositoryNotFoundException":
                raise
            yield fails(f"the repository {name} of images is gone", todo)


CHECKS = (
    Check("account and region", (), check_environment),
    Check("bootstrap", ("ssm:GetParameter", "s3:ListBucket", "ecr:DescribeRepositories"), check_bootstrap),
)
