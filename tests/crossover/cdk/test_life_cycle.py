"""What `cdk destroy` leaves: of a proof of concept at most its key, all data in production."""

from collections.abc import Callable

import pytest

from tests.crossover.cdk.option_sets import Synthesis
from tools.synthesized import Resource

# What CloudFormation keeps unless told otherwise has no place here; what follows keeps data.
DATA = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::KMS::Key")
OWN_LOGS = ("Compute/", "FlowLogs")


def keeps_data(resource: Resource) -> bool:
    return resource.type in DATA or (resource.type == "AWS::Logs::LogGroup" and resource.path.startswith(OWN_LOGS))


@pytest.mark.parametrize("name", ["default", "customer key", "isolated", "narrowed"])
def test_nothing_but_a_key_outlives_a_stack_that_is_destroyed(synthesis_of: Callable[[str], Synthesis], name: str):
    for template in synthesis_of(name).templates.values():
        for resource in template.resources.values():
            if resource.type == "AWS::KMS::Key":
                continue
            policies = {resource.definition.get(key, "Delete") for key in ("DeletionPolicy", "UpdateReplacePolicy")}
            assert policies == {"Delete"}, resource.path
        # A bucket can be deleted when it is empty, a table when it is not protected.
        emptied = template.only("Custom::S3AutoDeleteObjects").properties["BucketName"]
        assert emptied == "<Storage/InputBucket>"
        assert template.only("AWS::DynamoDB::Table").properties["DeletionProtectionEnabled"] is False


@pytest.mark.parametrize("name", ["kept", "everything"])
def test_all_data_outlives_a_stack_that_retains(synthesis_of: Callable[[str], Synthesis], name: str):
    for template in synthesis_of(name).templates.values():
        kept = {
            resource.path
            for resource in template.resources.values()
            if resource.definition.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
        }
        assert kept == {resource.path for resource in template.resources.values() if keeps_data(resource)}
        assert template.of_type("Custom::S3AutoDeleteObjects") == []
        assert template.only("AWS::DynamoDB::Table").properties["DeletionProtectionEnabled"] is True
