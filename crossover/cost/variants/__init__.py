"""The variants that are compared: those that the stacks deploy, and others to judge them by.

A new one is a function from a scenario and prices to a bill, and one line here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from crossover.cost.amounts import Amount
from crossover.cost.bill import Bill
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants import ec2, efs, endpoint, flat, provisioned, serverless, snapstart, standard, websocket


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to run the model.

    Attributes:
        name: as on the command line.
        title: as in a table.
        bill: what it costs.
        machines: how many machines it keeps running, as its bill has them; None where it keeps none.
        is_deployable: whether this project has a stack for it.
    """

    name: str
    title: str
    bill: Callable[[Scenario, Prices], Bill]
    machines: Callable[[Scenario], Amount] | None = None
    is_deployable: bool = False


EC2_TYPES = ("c5.large", "c6i.large", "c7i.large", "m5.large", "t3.medium", "t4g.small", "t4g.medium", "c7g.large")

VARIANTS = {
    variant.name: variant
    for variant in (
        Variant(name="standard", title="Lambda", bill=standard.bill, is_deployable=True),
        Variant(name="snapstart", title="Lambda with SnapStart", bill=snapstart.bill, is_deployable=True),
        Variant(
            name="sagemaker",
            title="SageMaker endpoint",
            bill=endpoint.bill,
            machines=endpoint.machines,
            is_deployable=True,
        ),
        Variant(
            name="provisioned",
            title="Lambda, provisioned concurrency",
            bill=provisioned.bill,
            machines=provisioned.ready,
        ),
        Variant(name="efs", title="Lambda with EFS", bill=efs.bill),
        Variant(name="websocket", title="Lambda container, WebSocket", bill=websocket.bill),
        Variant(name="serverless", title="SageMaker Serverless", bill=serverless.bill),
        *(
            Variant(
                name=f"ec2-{name}",
                title=f"EC2 {name} behind an NLB",
                bill=partial(ec2.bill, instance_type=name),
                machines=partial(ec2.machines, instance_type=name),
            )
            for name in EC2_TYPES
        ),
        Variant(name="rent", title="flat rent", bill=flat.rent, machines=flat.rented),
        Variant(name="call-price", title="paid by the call", bill=flat.call_price),
    )
}
DEPLOYABLE = tuple(name for name, variant in VARIANTS.items() if variant.is_deployable)
