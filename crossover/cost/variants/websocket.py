"""A Lambda function from a container image behind a WebSocket API, for clients that wait for the answer."""

import numpy as np

from crossover.cost.bill import Bill, Problem, line
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants.common import (
    function_problems,
    init_problems,
    network_lines,
    on_demand_lines,
    sent_kb,
    shared_lines,
)
from crossover.cost.variants.variant import Variant

KB_PER_METERED_MESSAGE = 32  # aws.amazon.com/api-gateway/pricing
MAX_MESSAGE_KB = (
    128  # docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
)

MAX_SECONDS = 29  # of an integration, as the line above


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """As standard, and messages of 32 KB both ways, the minutes of the connections, and the image.

    The file goes through S3 and a reference to it through the socket, unless `send_files`.
    """
    warm = scenario.warm()
    answer_kb = np.asarray(scenario.answer_kb)
    message_kb = sent_kb(scenario)
    metered = sum(np.maximum(1.0, np.ceil(each / KB_PER_METERED_MESSAGE)) for each in (message_kb, answer_kb))
    largest_kb = np.maximum(message_kb, answer_kb)
    return Bill(
        lines=(
            *on_demand_lines(scenario, prices),
            line("WebSocket messages", scenario.requests * metered, prices["websocket.message"]),
            line(
                "WebSocket minutes",
                scenario.requests * np.asarray(scenario.connection_seconds) / 60,
                prices["websocket.minute"],
            ),
            line("container image", scenario.image_gb, prices["ecr.gb_month"]),
            *network_lines(scenario, prices),
            *shared_lines(scenario, prices, has_bucket=not scenario.send_files),
        ),
        problems=(
            Problem(
                text=f"A message of {np.max(largest_kb):,.0f} KB is over WebSocket's limit of {MAX_MESSAGE_KB} KB.",
                where=largest_kb > MAX_MESSAGE_KB,
            ),
            Problem(
                text=f"An invocation takes longer than the API's {MAX_SECONDS} s.",
                where=np.asarray(warm) > MAX_SECONDS,
            ),
            *init_problems(scenario),
            *function_problems(scenario, warm),
        ),
    )


VARIANT = Variant(
    name="websocket",
    title="Lambda container, WebSocket",
    short="WebSocket",
    formula="`standard`; messages of 32 KB both ways; minutes of connections; the image",
    bill=bill,
    colour="sky",
    dash="longdash",
)
