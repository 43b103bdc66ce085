"""A SageMaker real-time endpoint behind a small proxy function: instances that run all the time."""

import numpy as np

from crossover.cost.bill import Bill, Line, Problem, line
from crossover.cost.capacity import instances_of
from crossover.cost.instance_types import HOSTING_TYPES, hosting_type
from crossover.cost.numbers import Amount
from crossover.cost.prices import Prices
from crossover.cost.scenario import HOURS_PER_MONTH, Scenario
from crossover.cost.variants.common import (
    KB_PER_GB,
    exchanged_gb,
    network_lines,
    proxy_lines,
    queue_lines,
    sent_kb,
    shared_lines,
)
from crossover.cost.variants.variant import Billing, Measurement, Variant

MAX_PAYLOAD_MB = 6.291456  # of InvokeEndpoint: Body in the API's model
MAX_SECONDS = 60  # docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html


def instances(scenario: Scenario) -> Amount:
    """How many instances the endpoint has."""
    return instances_of(scenario, hosting_type(scenario.instance_type))[0]


def types(scenario: Scenario, prices: Prices) -> list[str]:
    """The scenario's own type first, then all others that run the container and have a price."""
    usable = [
        name
        for name in prices.with_prefix("sagemaker.host.")
        if name in HOSTING_TYPES and not (HOSTING_TYPES[name].is_arm or HOSTING_TYPES[name].has_gpu)
    ]
    return list(dict.fromkeys([scenario.instance_type, *usable]))


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """N (hour x 730 + volume), the data in and out, and the proxy."""
    instance = hosting_type(scenario.instance_type)
    count, problems = instances_of(scenario, instance)
    return Bill(
        lines=(
            line(
                f"{scenario.instance_type} instances",
                count * np.asarray(HOURS_PER_MONTH),
                prices[f"sagemaker.host.{scenario.instance_type}"],
                discount=scenario.sagemaker_discount,
            ),
            line("volumes", count * scenario.volume_gb, prices["sagemaker.host.storage_gb_month"]),
            *data_lines(scenario, prices),
            *proxy_lines(scenario, prices),
            *network_lines(scenario, prices, sent_gb=exchanged_gb(scenario)),
            *queue_lines(scenario, prices, by_default=True),
            *shared_lines(scenario, prices),
        ),
        instances=count,
        assumes_one_instance=scenario.single_instance,
        problems=(
            *problems,
            *payload_problems(scenario, MAX_PAYLOAD_MB),
            Problem(
                text=f"SageMaker does not scale burstable instances such as {scenario.instance_type} automatically.",
                where=scenario.autoscaling and instance.is_burstable,
            ),
            Problem(
                text=f"A prediction takes longer than SageMaker's {MAX_SECONDS} s.",
                where=np.asarray(scenario.cpu_seconds) > MAX_SECONDS,
            ),
            Problem(
                text=f"{scenario.instance_type} is arm64; the container is built for x86_64.",
                where=instance.is_arm,
            ),
            Problem(
                text=f"The container does not use the GPU of {scenario.instance_type}.",
                where=instance.has_gpu,
                fatal=False,
            ),
        ),
    )


def data_lines(scenario: Scenario, prices: Prices) -> list[Line]:
    """What goes through an endpoint: references to files, unless `send_files`, and answers."""
    answers = scenario.requests * np.asarray(scenario.answer_kb)
    return [
        line("data in", scenario.requests * sent_kb(scenario) / KB_PER_GB, prices["sagemaker.data_in_gb"]),
        line("data out", answers / KB_PER_GB, prices["sagemaker.data_out_gb"]),
    ]


def payload_problems(scenario: Scenario, largest_mb: float) -> list[Problem]:
    """Whether the files are too large to be sent themselves."""
    return [
        Problem(
            text=f"A file of {np.max(scenario.file_mb):g} MB is over the limit of {largest_mb:.3g} MB.",
            where=(np.asarray(scenario.file_mb) > largest_mb) & scenario.send_files,
        )
    ]


VARIANT = Variant(
    name="sagemaker",
    title="SageMaker endpoint",
    short="SageMaker",
    summary="always on, behind a small proxy function",
    formula="N (hour x 730 + volume); data in and out; the proxy, which is a function of 128 MB; its queue",
    bill=bill,
    billing=Billing.ALWAYS_ON,
    instances=instances,
    instance_types=types,
    measured={
        Measurement.WARM_BILLED_SECONDS: "proxy_seconds",
        Measurement.COLD_INIT_SECONDS: "proxy_init_seconds",
        Measurement.MEMORY_MB: "proxy_memory_mb",
    },
    is_deployable=True,
    by_default=True,
    colour="green",
    dash="solid",
)
