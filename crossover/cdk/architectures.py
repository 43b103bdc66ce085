"""The processors that functions run on."""

from aws_cdk import aws_lambda as lambda_

ARCHITECTURES = {each.name: each for each in (lambda_.Architecture.X86_64, lambda_.Architecture.ARM_64)}
"""By Lambda's name. Bundling and the cost model, which know no CDK, have what they need by the same names."""
