"""A SageMaker real-time endpoint behind a small proxy function: machines that run all the time."""

import numpy as np

from crossover.cost.amounts import Amount
from crossover.cost.bill import Bill, Line, Problem, line
from crossover.cost.capacity import machines_of
from crossover.cost.machines import hosting_machine
from crossover.cost.prices import Prices
from crossover.cost.scenario import HOURS_A_MONTH, Scenario
from crossover.cost.variants.common import KB_PER_GB, exchanged_gb, network_lines, proxy_lines, sent_kb, shared_lines

LARGEST_PAYLOAD_MB = 6.291456  # of InvokeEndpoint: Body in the API's model
LONGEST_SECONDS = 60  # docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html


def machines(scenario: Scenario) -> Amount:
    """How many machines the endpoint has."""
    return machines_of(scenario, hosting_machine(scenario.instance_type))[0]


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """N (hour x 730 + volume), the data in and out, and the proxy."""
    machine = hosting_machine(scenario.instance_type)
    count, problems = machines_of(scenario, machine)
    return Bill(
        lines=(
            line(
                f"{scenario.instance_type} machines",
                count * np.asarray(HOURS_A_MONTH),
                prices[f"sagemaker.host.{scenario.instance_type}"],
                discount=scenario.sagemaker_discount,
            ),
            line("volumes", count * scenario.volume_gb, prices["sagemaker.host.storage_gb_month"]),
            *data_lines(scenario, prices),
            *proxy_lines(scenario, prices),
            *network_lines(scenario, prices, sent_gb=exchanged_gb(scenario)),
            *shared_lines(scenario, prices),
        ),
        machines=count,
        assumes_one_machine=scenario.single_instance,
        problems=(
            *problems,
            *payload_problems(scenario, LARGEST_PAYLOAD_MB),
            Problem(
                text=f"SageMaker does not scale burstable machines such as {scenario.instance_type} automatically.",
                where=scenario.autoscaling and machine.is_burstable,
            ),
            Problem(
                text=f"A prediction takes longer than SageMaker's {LONGEST_SECONDS} s.",
                where=np.asarray(scenario.cpu_seconds) > LONGEST_SECONDS,
            ),
            Problem(
                text=f"{scenario.instance_type} is arm64; the container is built for x86_64.",
                where=machine.is_arm,
            ),
            Problem(
                text=f"The container does not use the graphics processor of {scenario.instance_type}.",
                where=machine.has_gpu,
                fatal=False,
            ),
        ),
    )


def data_lines(scenario: Scenario, prices: Prices) -> list[Line]:
    """What goes through an endpoint: addresses of files, unless `send_files`, and answers."""
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
