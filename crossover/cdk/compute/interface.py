"""What every variant offers, so that pipeline, monitoring and stacks do not depend on any variant by name."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from aws_cdk import aws_lambda as lambda_
from constructs import Construct, Node

from crossover.cdk.dashboard_cost import Cost
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.monitoring_specs import AlarmSpec, GraphSpec
from crossover.cdk.python_function import FunctionOptions
from crossover.cdk.storage import PipelineStorage

NEW_ACCOUNT_CONCURRENCY = 10
"""Of all functions of a new account: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""


class Compute(Protocol):
    """A variant: the compute of a pipeline.

    Attributes:
        predictor: its name in the settings and in the items.
        stack_id: the construct id of its stack.
        settings: the keyword arguments that an app's settings give it; each is an attribute of the settings, too.
        ingest: how its uploads come to it by default, direct or queue: see InferencePipeline.
        default_max_concurrency: how many of a queue's uploads it predicts at once where nobody chooses.
        capacity: how many uploads at once it has a use for; None where it grows with them, or that is not known.
        kept_ready: how many execution environments are paid for at any time, in use or not.
        roles: names, for the docs, of the roles that only this variant has, by their construct id in it.
    """

    predictor: ClassVar[str]
    stack_id: ClassVar[str]
    settings: ClassVar[Sequence[str]]
    ingest: ClassVar[str]
    default_max_concurrency: int
    capacity: int | None
    kept_ready: int
    roles: ClassVar[Mapping[str, str]]

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        options: FunctionOptions | None = None,
        **settings: Any,
    ) -> None: ...

    @property
    def node(self) -> Node:
        """Its node in the construct tree."""

    @property
    def source(self) -> lambda_.IFunction:
        """What the events invoke: a function or an alias."""

    @property
    def earlier_sources(self) -> Sequence[lambda_.IFunction]:
        """The function, where a setting has put an alias in its place: S3 goes on invoking it for some minutes."""

    @property
    def function(self) -> lambda_.Function:
        """The function behind the source."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs that only this variant has, by their name."""

    @property
    def cost(self) -> Cost | None:
        """Its cost; None where a price is not known."""

    @property
    def alarms(self) -> Sequence[AlarmSpec]:
        """The alarms that only this variant has."""

    @property
    def graphs(self) -> Sequence[GraphSpec]:
        """The graphs that only this variant has."""
