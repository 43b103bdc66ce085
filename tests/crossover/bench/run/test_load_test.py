"""A whole benchmark without AWS: a pipeline that answers at once, Lambda and its logs as lists of calls."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crossover.aws import Clients
from crossover.bench.run import cleaning
from crossover.bench.run import load_test as module
from crossover.bench.run.cold import DESCRIPTION, VARIABLE
from crossover.bench.run.context import RunContext
from crossover.bench.run.journal import Journal
from crossover.bench.run.load_test import LoadTest
from crossover.bench.run.observation import Observation, Outcome
from crossover.bench.run.plan import Phase, Plan, Planned
from crossover.bench.run.requesting import Requester
from crossover.cost.prices import load
from crossover.deployed import Variant
from crossover.interrupts import InterruptedBySignalError

from .fakes import FILES, WALL, FakeLambda, FakeLogs, FakeTime, Watcher, client_error, deployment, existing, observation
from .test_endpoint_metrics import FakeCloudWatch
from .test_plan import plan

NAMES = ["standard", "snapstart", "sagemaker"]


class Functions:
    """Lambda, which finds each variant's function by its name; waiters and pages are of the last one that was named."""

    exceptions = FakeLambda.exceptions
    meta: SimpleNamespace  # of a client that a command opened

    def __init__(self, functions: dict[str, FakeLambda]) -> None:
        self._functions = functions
        self._last = NAMES[0]

    def __getattr__(self, operation: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self._last = named.get("FunctionName", self._last).removesuffix("-function")
            return getattr(self._functions[self._last], operation)(*arguments, **named)

        return call


class Account:
    """Three variants whose requests succeed at once, unless `react` does something else.

    Attributes:
        sent: variant, phase and number of each request, in order.
        react: called for each of them, before it becomes an observation.
        cleaned: variant and prefix, each time that something was to be removed, and whether dead letters were.
        unclean: what could not be.
        inputs: the files whose results were to be removed, by their SHA-256.
        billed_ms: of each request.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.time = FakeTime()
        self.folder = folder
        self.functions = {
            "standard": FakeLambda(),
            "snapstart": FakeLambda(versions=("1",), alias="1"),
            "sagemaker": FakeLambda(),
        }
        self.logs = FakeLogs(page=100)
        self.metrics = FakeCloudWatch()
        self.watcher = Watcher()
        self.sent: list[tuple[str, Phase, int]] = []
        self.react: Callable[[str, Planned], dict[str, Any] | None] = lambda name, planned: None
        self.cleaned: list[tuple[str, str, bool]] = []
        self.unclean: list[str] = []
        self.inputs: list[str] = []
        self.billed_ms = 100.0
        monkeypatch.setattr(Requester, "perform", lambda *arguments: self.perform(*arguments))
        monkeypatch.setattr(cleaning, "clean", self._clean)

    def perform(self, requester: Requester, variant: Variant, planned: Planned, intended: float) -> Observation:
        """What a request becomes, in place of the real one."""
        name = variant.name
        self.sent.append((name, planned.phase, planned.number))
        changed = self.react(name, planned) or {}
        request_id = f"{name}-{planned.phase.value}-{planned.number}"
        plain = observation()
        made = observation(
            planned.number,
            variant=name,
            phase=planned.phase,
            file=requester.files[planned.file].name,
            concurrency=planned.slot.concurrency,
            segment=requester.segment,
            intended_s=intended,
            sent_s=intended,
            uploaded_s=intended + 0.01,
            request_id=request_id,
            item={
                **plain.item,
                "request_id": request_id,
                "cold_start": planned.phase is Phase.COLD,
                "timings_ms": {**plain.item["timings_ms"], "total": self.billed_ms},
            },
        )
        values = {**vars(made), **changed}
        self.line_of(request_id, cold=planned.phase is Phase.COLD, snapshot=name == "snapstart")
        return Observation(**values)

    def line_of(self, request_id: str, *, cold: bool, snapshot: bool) -> None:
        """Its REPORT line comes into the log."""
        start = (
            "Restore Duration: 300.00 ms\tBilled Restore Duration: 50 ms" if snapshot else "Init Duration: 600.00 ms"
        )
        line = (
            f"REPORT RequestId: {request_id}\tDuration: 80.00 ms\tBilled Duration: {self.billed_ms} ms\t"
            "Memory Size: 2048 MB\t"
            f"Max Memory Used: 150 MB\t{start if cold else ''}\n"
        )
        self.logs.events.append({"timestamp": len(self.logs.events), "message": line})

    def _clean(
        self, clients: Clients, variant: Variant, prefix: str, *, with_dead_letters: bool, inputs: list[str]
    ) -> list[str]:
        self.inputs = inputs
        self.cleaned.append((variant.name, prefix, with_dead_letters))
        return list(self.unclean)

    def benchmark(self, made: Plan, *, resume: bool = False, max_usd: float = 5.0, **values: Any) -> LoadTest:
        path = self.folder / "journal"
        if resume:
            journal = Journal.resume(path, made.to_json(), started=WALL + 500)
        else:
            journal = Journal.create(path, made.to_json(), run_id="abc", started=WALL)
        services = {"lambda": Functions(self.functions), "logs": self.logs, "cloudwatch": self.metrics}
        context = RunContext(
            clients=lambda service: services[service],
            region="us-east-1",
            is_rehearsal=False,
            prices=load("us-east-1"),
            clock=self.time.clock,
            watcher=self.watcher,
        )
        deployments = [deployment(name) for name in made.variants]
        known: dict[str, Any] = {"timeout_seconds": 60, "log_wait_seconds": 30}
        return LoadTest(made, deployments, journal, context, max_usd=max_usd, **{**known, **values})


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    return Account(monkeypatch, tmp_path)


def whole_plan(**values: Any) -> Plan:
    return plan(**{"requests": 4, "cold": 2, "variants": NAMES, "idle_seconds": 60.0, **values})


def put_back(account: Account) -> bool:
    """Whether no trace of forced cold starts is left."""
    functions = account.functions
    return (
        all(VARIABLE not in function.variables for function in functions.values())
        and functions["snapstart"].alias == "1"
        and set(functions["snapstart"].versions) == {"1"}
    )


def test_variants_get_the_same_load_in_sequence_and_then_alternate_cold_starts(account: Account) -> None:
    account.benchmark(whole_plan()).run()
    assert [(name, number) for name, phase, number in account.sent if phase is Phase.LOAD] == [
        (name, number) for name in NAMES for number in range(4)
    ]
    assert account.sent[12:] == [(name, Phase.COLD, number) for number in range(2) for name in NAMES]


def test_the_document_holds_everything(account: Account) -> None:
    ended = account.benchmark(whole_plan()).run()
    document = ended.document
    assert (document["schema"], document["kind"], document["rehearsal"]) == (2, "crossover bench run", False)
    assert document["stopped"] is None
    assert document["left_behind"] == ended.left_behind == []
    assert document["plan"] == whole_plan().to_json()
    assert document["environment"]["region"] == "us-east-1"
    assert document["environment"]["variants"]["snapstart"]["is_snapshot"] is True
    assert document["environment"]["model_sha256"] == ["5" * 64]
    assert document["prices"]["region"] == "us-east-1"
    assert document["statistics"]["discarded"] == 0
    assert [(each["variant"], each["phase"], each["number"]) for each in document["observations"]] == [
        (name, phase, number)
        for name in NAMES
        for phase, count in (("load", 4), ("cold", 2))
        for number in range(count)
    ]
    assert all(each["reports"][0]["billed_ms"] == 100 for each in document["observations"])
    standard = document["statistics"]["variants"]["standard"]
    assert standard["outcomes"]["succeeded"] == 6
    assert existing(standard["measures"]["init_ms"]["cold"])["mean"]["value"] == 600
    assert standard["function_usd_per_million"]["warm"] == pytest.approx(0.2 + 2 * 0.1 * 16.6667, rel=1e-4)
    snapstart = document["statistics"]["variants"]["snapstart"]
    assert existing(snapstart["measures"]["restore_ms"]["cold"])["mean"]["value"] == 300
    assert document["statistics"]["variants"]["sagemaker"]["idle_usd_per_hour"] == pytest.approx(0.056)
    metrics = document["endpoint_metrics"]["sagemaker"]
    assert metrics is not None
    assert metrics["period_seconds"] == 60
    assert document["scenario"]["warm_seconds"] == 0.1
    assert document["scenario"]["restore_seconds"] == 0.05


def test_cold_starts_are_forced_and_undone(account: Account) -> None:
    account.benchmark(whole_plan()).run()
    assert put_back(account)
    made = [what for name, what in account.functions["snapstart"].calls if name == "publish"]
    assert made == ["2", "3"]
    changes = [what for name, what in account.functions["standard"].calls if name == "configure"]
    assert len(changes) == 3  # twice a new environment, once the old configuration
    assert VARIABLE not in changes[-1]


def test_an_endpoint_is_idle_before_its_cold_starts(account: Account) -> None:
    times: list[float] = []

    def react(name: str, planned: Planned) -> None:
        if name == "sagemaker":
            times.append(account.time.now)

    account.react = react
    account.benchmark(whole_plan(idle_seconds=600.0)).run()
    assert times[-1] - times[-2] >= 600


def test_restores_what_a_killed_benchmark_left_behind(account: Account) -> None:
    standard, snapstart = account.functions["standard"], account.functions["snapstart"]
    standard.variables[VARIABLE] = "abc-1"
    snapstart.versions["2"], snapstart.alias, snapstart.next_version = DESCRIPTION, "2", 3
    account.benchmark(whole_plan(cold=1)).run()
    assert put_back(account)


def test_without_cold_starts_no_function_is_touched(account: Account) -> None:
    account.benchmark(whole_plan(cold=0)).run()
    assert [function.calls for function in account.functions.values()] == [[], [], []]


@pytest.mark.parametrize("phase", list(Phase))
def test_an_interruption_in_the_middle_undoes_and_removes_everything(account: Account, phase: Phase) -> None:
    def react(name: str, planned: Planned) -> None:
        if (name, planned.phase, planned.number) == ("snapstart", phase, 1):
            raise InterruptedBySignalError(2)

    account.react = react
    with pytest.raises(InterruptedBySignalError):
        account.benchmark(whole_plan()).run()
    assert put_back(account)
    assert [(name, prefix) for name, prefix, _ in account.cleaned] == [(name, "bench-abc/") for name in NAMES]


def test_a_cold_start_that_cannot_be_forced_ends_it_and_leaves_nothing(account: Account) -> None:
    account.functions["snapstart"].fails = {"wait published_version_active"}
    with pytest.raises(Exception, match="it failed"):
        account.benchmark(whole_plan()).run()
    assert put_back(account)
    assert len(account.cleaned) == 3


def test_resumes_after_the_last_complete_request(account: Account) -> None:
    def react(name: str, planned: Planned) -> None:
        if (name, planned.phase, planned.number) == ("snapstart", Phase.COLD, 0):
            raise InterruptedBySignalError(15)

    account.react = react
    with pytest.raises(InterruptedBySignalError):
        account.benchmark(whole_plan()).run()
    done = account.sent[:-1]
    account.sent.clear()
    account.react = lambda name, planned: None
    ended = account.benchmark(whole_plan(), resume=True).run()
    assert not set(done) & set(account.sent)
    assert len(done) + len(account.sent) == 18
    assert account.watcher.parts[-1] == ("cold starts", 6, 1)
    assert len(ended.document["observations"]) == 18
    assert len(ended.document["segments"]) == 2
    assert [each["segment"] for each in ended.document["observations"]].count(0) == len(done)
    assert {each["segment"] for each in ended.document["observations"]} == {0, 1}
    assert put_back(account)


def test_stops_at_the_spending_limit_and_says_so(account: Account) -> None:
    """Each request costs 1.1e-5 USD."""
    made = whole_plan(cold=1, variants=["standard", "snapstart"], arrivals="ramp:1-1")
    ended = account.benchmark(made, max_usd=2e-5).run()
    assert account.sent == [("standard", Phase.LOAD, 0), ("standard", Phase.LOAD, 1)]
    assert ended.document["stopped"] is not None
    assert ended.document["stopped"].startswith("It stopped because 2.18e-05 USD were spent; the limit is 2e-05")
    assert ended.document["spent_usd"] == pytest.approx(2.2e-5)
    assert len(ended.document["observations"]) == 2
    assert len(account.cleaned) == 2


def test_a_complete_benchmark_is_not_marked_as_stopped(account: Account) -> None:
    made = whole_plan(requests=2, cold=0, variants=["standard"], arrivals="ramp:1-1")
    ended = account.benchmark(made, max_usd=2e-5).run()
    assert ended.document["stopped"] is None


def test_a_snapshot_is_paid_for_before_it_is_made(account: Account) -> None:
    """One of 2 GB for three hours is 0.0325 USD: the second would be too much, and is not made."""
    ended = account.benchmark(whole_plan(cold=5, variants=["snapstart"]), max_usd=0.05).run()
    assert [phase for _, phase, _ in account.sent].count(Phase.COLD) == 1
    assert ("publish", "2") in account.functions["snapstart"].calls
    assert ("publish", "3") not in account.functions["snapstart"].calls
    assert ended.document["spent_usd"] < 0.05
    assert ended.document["stopped"] is not None
    assert "and 0.03252 USD more would be over the limit of 0.05 USD." in ended.document["stopped"]
    assert put_back(account)


def test_earlier_spending_counts_after_a_resume(account: Account) -> None:
    made = whole_plan(cold=2, variants=["snapstart"])
    first = account.benchmark(made).run().document["spent_usd"]
    again = account.benchmark(made, resume=True)
    assert again.meter.usd == pytest.approx(first, rel=0.01)


def test_earlier_instance_hours_count_after_a_resume(account: Account) -> None:
    """Of 0.056 USD an hour for an endpoint."""
    made = whole_plan(requests=3, cold=0, variants=["sagemaker"])
    account.benchmark(made)
    (account.folder / "journal").unlink()
    journal = Journal.create(account.folder / "journal", made.to_json(), run_id="abc", started=WALL)
    journal.add(observation(0, variant="sagemaker", sent_s=1800.0))
    journal.add(observation(1, variant="sagemaker", sent_s=900.0))
    Journal.resume(account.folder / "journal", made.to_json(), started=WALL)
    journal.add(observation(2, variant="sagemaker", sent_s=3600.0, segment=1))
    assert account.benchmark(made, resume=True).meter.usd == pytest.approx(1.5 * 0.056, rel=0.01)


def test_a_report_that_comes_late_is_waited_for(account: Account) -> None:
    account.line_of = lambda request_id, **_: None  # type: ignore[method-assign]
    made = whole_plan(cold=0, variants=["standard"])
    late = Account.line_of
    ids = [f"standard-load-{number}" for number in range(4)]
    account.benchmark(made)

    class Late(FakeLogs):
        def paginate(self, **asked: Any) -> Any:
            if len(self.readings) == 3:
                for request_id in reversed(ids):  # in no order
                    late(account, request_id, cold=False, snapshot=False)
            return super().paginate(**asked)

    account.logs = Late(page=100)
    (account.folder / "journal").unlink()
    ended = account.benchmark(made).run()
    assert [each["reports"][0]["request_id"] for each in ended.document["observations"]] == ids
    assert account.time.slept.count(module.JOIN_INTERVAL_SECONDS) >= 1


def test_a_report_that_never_comes_is_marked_as_missing(account: Account) -> None:
    line_of = account.line_of

    def some(request_id: str, **values: Any) -> None:
        if not request_id.endswith("2"):
            line_of(request_id, **values)

    account.line_of = some  # type: ignore[method-assign]
    ended = account.benchmark(whole_plan(cold=0, variants=["standard"])).run()
    assert [len(each["reports"]) for each in ended.document["observations"]] == [1, 1, 0, 1]
    assert ended.document["statistics"]["variants"]["standard"]["without_report"] == 1


def test_failures_are_kept_and_their_dead_letters_removed(account: Account) -> None:
    def react(name: str, planned: Planned) -> dict[str, Any] | None:
        if planned.number != 1:
            return None
        return {"outcome": Outcome.DEAD_LETTER, "item": {}, "error": "ModelError: no."}

    account.react = react
    ended = account.benchmark(whole_plan(cold=0, variants=["standard"])).run()
    assert ended.document["statistics"]["variants"]["standard"]["outcomes"]["dead letter"] == 1
    assert account.cleaned == [("standard", "bench-abc/", True)]


def test_without_failures_the_queue_is_not_searched(account: Account) -> None:
    account.benchmark(whole_plan(cold=0, variants=["standard"])).run()
    assert account.cleaned == [("standard", "bench-abc/", False)]


def test_abandoned_requests_are_reported_as_possible_leftovers(account: Account) -> None:
    made = account.benchmark(whole_plan(cold=0, variants=["standard"]))

    def react(name: str, planned: Planned) -> None:
        made.control.abandoned.set()
        raise InterruptedBySignalError(2)

    account.react = react
    with pytest.raises(InterruptedBySignalError):
        made.run()
    assert account.cleaned == [("standard", "bench-abc/", True)]
    assert account.watcher.warnings[0].startswith("standard: some uploads were abandoned; an event that is")


def test_leftovers_are_reported_and_recorded(account: Account) -> None:
    account.unclean = ["2 objects are left."]
    account.react = lambda name, planned: {"outcome": Outcome.NO_ITEM, "item": {}} if planned.number == 0 else None
    ended = account.benchmark(whole_plan(cold=0, variants=["standard"])).run()
    assert ended.left_behind[0] == "2 objects are left."
    assert ended.left_behind[1].startswith(
        "standard: 1 uploads had no item; an event that is still being processed may yet leave"
    )
    assert ended.document["left_behind"] == account.watcher.warnings == ended.left_behind


def test_a_closed_loop_gives_no_cold_share(account: Account) -> None:
    ended = account.benchmark(whole_plan(cold=0, requests=12, arrivals="ramp:1-4", variants=["standard"])).run()
    assert "cold_share" not in ended.document["scenario"]
    steps = ended.document["statistics"]["variants"]["standard"]["throughput"]
    assert [(row["concurrency"], row["requests"]) for row in steps] == [(1, 4), (2, 4), (4, 4)]


@pytest.mark.parametrize("service", ["logs", "cloudwatch"])
def test_a_benchmark_survives_unreadable_logs_and_metrics(account: Account, service: str) -> None:
    def refuse(**_: Any) -> None:
        raise client_error("AccessDeniedException")

    (account.logs if service == "logs" else account.metrics).__dict__[
        "paginate" if service == "logs" else "list_metrics"
    ] = refuse
    ended = account.benchmark(whole_plan(cold=0)).run()
    assert len(ended.document["observations"]) == 12
    assert "cannot be read: An error occurred (AccessDeniedException)" in account.watcher.warnings[0]
    assert ended.left_behind == []
    assert (ended.document["endpoint_metrics"]["sagemaker"] is None) == (service == "cloudwatch")


def test_results_of_its_files_are_removed_but_not_those_of_the_samples_themselves(account: Account) -> None:
    sample = replace(FILES[1], is_original=True)
    account.benchmark(whole_plan(files=[FILES[0], sample], variants=["standard"])).run()
    assert account.inputs == [FILES[0].sha256]
