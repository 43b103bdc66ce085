"""Policies in words: each statement a row, whoever holds it."""

import re

from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate
from tools.permissions import permissions


def rows(template: StackTemplate, who: str) -> set[tuple[str, str, str]]:
    return {(row.what, row.on, row.condition) for row in permissions(template) if row.who == who}


def test_a_role_has_a_name_and_its_permissions_are_in_words(sagemaker: StackTemplate):
    assert rows(sagemaker, "function") == {
        ("`logs:CreateLogStream`, `logs:PutLogEvents`", "`Compute/FunctionLogs`", ""),
        ("`dynamodb:PutItem`", "`Storage/PredictionsTable`", ""),
        ("`sagemaker:InvokeEndpoint`", "`Compute/Endpoint`", ""),
        ("`sqs:SendMessage`", "`Pipeline/DeadLetterQueue`", ""),
        ("`sqs:DeleteMessage`, `sqs:GetQueueAttributes`, `sqs:ReceiveMessage`", "`Pipeline/UploadQueue/Queue`", ""),
    }
    assert ("`s3:GetObject`", "`models in CDK's bucket of assets`", "") in rows(sagemaker, "endpoint")


def test_a_condition_is_in_words(sagemaker: StackTemplate):
    metrics = "`cloudwatch:namespace` is `/aws/sagemaker/Endpoints`"

    assert ("`cloudwatch:PutMetricData`", "`*`", metrics) in rows(sagemaker, "endpoint")


def test_a_managed_policy_is_named(standard: StackTemplate):
    assert ("the managed policy `AWSLambdaBasicExecutionRole`", "", "") in rows(standard, "CDK: empties the bucket")


def test_a_resource_policy_is_shown_too(standard: StackTemplate):
    assert rows(standard, "s3.amazonaws.com") == {
        (
            "`lambda:InvokeFunction`",
            "`Compute/Function`",
            "`aws:SourceArn` is `Storage/InputBucket` and `aws:SourceAccount` is `this account`",
        )
    }
    assert ("**never** `dynamodb:*`", "`Storage/PredictionsTable`", "`aws:SecureTransport` is `false`") in rows(
        standard, "anyone"
    )


def test_no_statement_is_left_out(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        written = str(template.body).count("'Effect': ") - len(template.of_type("AWS::IAM::Role"))  # who assumes it
        managed = sum(len(role.properties.get("ManagedPolicyArns", [])) for role in template.of_type("AWS::IAM::Role"))
        invoked = len(template.of_type("AWS::Lambda::Permission"))

        assert len(permissions(template)) == written + managed + invoked


def test_no_row_shows_a_hash_or_a_reference(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        for row in permissions(template):
            text = f"{row.who} {row.what} {row.on} {row.condition}"
            assert not re.search(r"[0-9a-f]{32}|<AWS::|\.Arn|<[A-Z]", text), text
