"""The tables."""

import io
from typing import cast

from rich.console import Console

from benchmarks.peers.serving import server_tables
from benchmarks.peers.serving.server_summary import Section, loop_figures, sum_up
from tests.benchmarks.peers.serving.example_observations import NO_ERRORS, loop, start, step, step_baseline


def section() -> Section:
    """Without the observations, which no table shows."""
    steps = [
        step("slow, 2 workers", 1, requests=25, other_cpu_share=0.3, errors={**NO_ERRORS, "read": 1234}),
        step("ours", 1, requests=100),
        step("ours", 4, requests=180),
        step("slow, 2 workers", 4, requests=90),
    ]
    loops = [loop(1, 2, latency_ms=(10.0,) * 100)]
    step_baselines = [step_baseline(each.server, each.clients) for each in steps]
    made = {
        "settings": {"memory": "PSS"},
        "servers": {
            "ours": {"peer": "ours", "workers": 2, "versions": {"uvicorn": "1.2"}},
            "slow, 2 workers": {"peer": "slow", "workers": 2, "versions": {"slow": "3.4"}},
            "gone, 1 worker": {"peer": "gone", "workers": 1, "versions": {}},
        },
        "baselines": [
            {
                "name": "1 loop, 2 threads",
                "part": "run",
                "figures": loop_figures("1 loop, 2 threads", "decode+run", loops),
            }
        ],
        "failures": [{"server": "gone, 1 worker", "turn": 0, "reason": "No\x1b[31m Java."}],
        "summary": sum_up(steps, [start("ours"), start("slow, 2 workers", predicted=6.0)], loops, step_baselines),
    }
    return cast(Section, made)


def texts(given: Section) -> list[str]:
    found = []
    for table in server_tables.tables(given):
        output = io.StringIO()
        Console(file=output, width=120).print(table)
        found.append(output.getvalue())
    return found


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(name))


def test_one_table_for_each_number_of_clients_with_ratios_and_the_fastest_first() -> None:
    one, four, *_ = texts(section())
    assert one.startswith("1 client. ")
    assert "the baseline's: 1 loop, 2 threads" in one
    assert one.index("ours") < one.index("slow")
    ours, slow = row(one, "ours"), row(one, "slow")
    assert "50.0 (1.00 0.50)" in ours
    assert "12.5 (0.25 0.12)" in slow
    assert "10.0 (1.00)" in ours  # p50
    assert "40.0 (4.00 4.00)" in slow  # ms of CPU time a request
    assert four.startswith("4 clients. ")


def test_throughput_has_its_turns_and_its_interval() -> None:
    def cells() -> list[str]:
        return [cell.strip() for cell in row(texts(given)[0], "ours").split("│")]

    given = section()
    assert cells()[2:5] == ["1", "50.0 (1.00 0.50)", "-"]
    given["summary"][1] |= {"turns": 12, "ratio_to_baseline_interval": [0.456, 0.543]}
    assert cells()[2:5] == ["12", "50.0 (1.00 0.50)", "0.46-0.54"]
    assert "n: turns." in texts(given)[0]
    assert "n: turns." not in texts(given)[1]  # said once


def test_errors_are_shown_and_a_disturbed_step_is_marked() -> None:
    one = texts(section())[0]
    assert "1,234" in row(one, "slow")
    assert row(one, "slow").rstrip().endswith("30% !")
    assert row(one, "ours").rstrip().endswith(" 0%")


def test_memory_and_start_are_shown_once() -> None:
    standing = texts(section())[2]
    assert "memory, MB (PSS)" in standing
    slow = row(standing, "slow")
    assert "200 (1.00)" in slow
    assert "6.00 (3.00)" in slow
    assert "slow 3.4" in slow
    assert "gone" not in standing


def test_the_baseline_and_what_was_not_measured_have_tables() -> None:
    *_, baseline, failures = texts(section())
    assert "run alone" in row(baseline, "1 loop, 2 threads")
    assert "100" in row(baseline, "1 loop, 2 threads")
    assert "none" in row(failures, "gone")
    assert "\x1b" not in failures


def test_a_reason_is_shown_as_it_is() -> None:
    given = section()
    given["failures"] = [{**given["failures"][0], "reason": "[notice] pip [/ended]"}]
    assert "[notice] pip [/ended]" in texts(given)[-1]


def test_everything_fits_a_terminal_of_120_columns() -> None:
    assert "…" not in "".join(texts(section()))


def test_what_was_not_observed_is_a_dash() -> None:
    given = section()
    given["summary"][0]["figures"]["p99_ms"] = None
    given["summary"][0]["ratio_to_ours"] = dict.fromkeys(given["summary"][0]["ratio_to_ours"])
    one = texts(given)[0]
    assert " - " in row(one, "slow")
    assert "12.5 (- 0.12)" in row(one, "slow")
