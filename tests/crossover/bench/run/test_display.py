"""The tables, cell by cell."""

from typing import cast

from rich.console import Console
from rich.table import Table

from crossover.bench import result, statistics
from crossover.bench.run import display
from crossover.bench.run.spend import Line
from crossover.cost.measured import REHEARSAL_MARK

from .fakes import observation, report
from .test_plan import plan


def rows(table: Table) -> list[list[str]]:
    """The cells of what is printed, line by line."""
    console = Console(width=160, color_system=None)
    with console.capture() as captured:
        console.print(table)
    lines = captured.get().replace("┃", "│").splitlines()
    return [[cell.strip() for cell in line.split("│")] for line in lines]


def document(*, is_rehearsal: bool = False, is_open_loop: bool = True, count: int = 4) -> result.Document:
    concurrency = None if is_open_loop else 2
    observations = [
        observation(number, item_ms=90.0 + 10 * number, reports=(report(billed_ms=1200),), concurrency=concurrency)
        for number in range(count)
    ]
    sums: result.VariantStatistics = {
        **result.sum_up(observations, is_open_loop=is_open_loop, seed=1),
        "function_usd_per_million": {"warm": 1234.5, "cold": None, "together": None},
        "idle_usd_per_hour": 0.056,
    }
    shown = {
        "rehearsal": is_rehearsal,
        "seed": 1,
        "spent_usd": 0.12,
        "stopped": None,
        "statistics": {"method": statistics.METHOD, "variants": {"standard": sums}},
        "observations": [each.to_json() for each in observations],
    }
    return cast(result.Document, shown)


def test_the_estimate_shows_total_upload_and_duration() -> None:
    made = plan(2, cold=0, variants=["standard"])
    lines = [Line(name="one", quantity="2 requests", usd=0.5), Line(name="other", quantity="1 h", usd=0.25)]
    title, _, _, first, second, _, last = rows(display.estimate_table(lines, made, 180.0, is_rehearsal=False))
    assert title == ["What this may cost, about"]
    assert (first, second) == (["one", "2 requests", "0.5000"], ["other", "1 h", "0.2500"])
    assert last == ["sum", "2 MB uploaded in 3 min", "0.7500"]


def test_a_measure_has_a_row_for_each_kind_of_start() -> None:
    _, _, *lines = rows(display.result_table(document()))
    assert lines[0] == [
        *("standard", "latency", "warm", "4", "115", "13"),
        *("115 (100 to 130)", "128 (110 to 130)", "130", "130"),
    ]
    assert lines[1][:4] == ["", "", "together", "4"]
    assert lines[2][:4] == ["", "item", "warm", "4"]
    assert lines[4][:5] == ["", "billed", "warm", "4", "1,200"]


def test_a_single_observation_has_no_interval() -> None:
    _, _, first, *_ = rows(display.result_table(document(count=1)))
    assert first[-4:] == ["100", "100", "100", "100"]


def test_only_a_rehearsal_is_marked_as_one() -> None:
    assert rows(display.result_table(document(is_rehearsal=True)))[0] == [REHEARSAL_MARK]
    assert rows(display.result_table(document()))[0][0] == "variant"


def test_throughput_is_shown_for_a_closed_loop_only() -> None:
    assert display.throughput_table(document()) is None
    table = display.throughput_table(document(is_open_loop=False))
    assert table is not None
    assert rows(table)[3] == ["standard", "2", "4", "1.28", "115", "130"]


def test_the_sentences_say_how_it_was_counted() -> None:
    assert display.sentences(document(is_rehearsal=True))[1:] == [
        "standard: 4 succeeded; cold share 0.00% of the open loop.",
        "standard: a million requests cost 1,234.50 USD warm, from Lambda's billed durations, and "
        "0.0560 USD an hour, idle or not.",
        "In brackets: intervals, percentile bootstrap, 2,000 resamples, 95%, seed 1.",
        "Where there are fewer than 100 observations, p99 says little more than the maximum.",
        "No observation was discarded; the result file holds every one, with those that failed.",
        "Spent: about 0.1200 USD on AWS, if it had run there.",
    ]
    assert not [sentence for sentence in display.sentences(document(count=100)) if "fewer than" in sentence]
