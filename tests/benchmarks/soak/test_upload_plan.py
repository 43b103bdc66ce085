"""The plan: bounded, repeatable, and complete even where it is short."""

from collections import Counter

import pytest

from benchmarks.soak.faults import ALWAYS, FAULTS, Action, faults_of
from benchmarks.soak.upload_plan import LATE_SECONDS, Kind, PlannedObject, make_plan

BAD_KINDS = (Kind.TEXT, Kind.EMPTY, Kind.TRUNCATED)
VARIANTS = ("standard", "snapstart", "sagemaker")


def plan(uploads: int = 2000, *, rate: float = 0.2, seed: int = 1) -> list[PlannedObject]:
    return make_plan(
        uploads=uploads,
        variants=VARIANTS,
        endpoints=["sagemaker"],
        fault_rate=rate,
        seed=seed,
        suffix=".wav",
        bad_kinds=BAD_KINDS,
    )


@pytest.mark.parametrize("uploads", [*range(1, 60), 2000])
def test_a_plan_has_the_requested_uploads_under_unique_keys(uploads: int) -> None:
    objects = plan(uploads)
    assert sum(len(each.uploads) for each in objects) == uploads
    assert len({each.key for each in objects}) == len(objects)


def test_the_variants_take_turns() -> None:
    assert [each.variant for each in plan()[:6]] == [*VARIANTS, *VARIANTS]


def test_the_seed_decides_everything() -> None:
    assert plan() == plan()
    for rate in (0, 1):
        assert plan(rate=rate) != plan(rate=rate, seed=2)


def test_about_the_given_share_of_objects_meets_a_fault() -> None:
    objects = plan()
    assert sum(each.fault is not None for each in objects) / len(objects) == pytest.approx(0.2, abs=0.03)


def test_without_faults_only_overwriting_remains() -> None:
    objects = plan(rate=0)
    assert not any(each.fault for each in objects)
    assert {each.uploads[-1].deliveries for each in objects} == {(0.0,)}
    assert any(len(each.uploads) == 2 for each in objects)


def test_ninety_uploads_meet_every_fault_of_every_variant() -> None:
    objects = plan(90, rate=1)
    for variant in VARIANTS:
        met = {each.fault.name for each in objects if each.variant == variant and each.fault}
        assert met == {fault.name for fault in faults_of(has_endpoint=variant == "sagemaker")}


def test_a_long_soak_meets_every_fault_for_every_duration() -> None:
    met = {(each.fault.name, each.times) for each in plan() if each.fault}
    assert met == {(fault.name, times) for fault in FAULTS for times in fault.times}


def test_only_the_variant_with_an_endpoint_meets_the_endpoints_faults() -> None:
    assert {each.variant for each in plan() if each.fault and each.fault.service == "sagemaker"} == {"sagemaker"}


def test_events_come_once_twice_and_late_and_older_ones_after_newer_ones() -> None:
    objects = plan()
    deliveries = Counter(each.uploads[-1].deliveries for each in objects)
    assert set(deliveries) == {(0.0,), (0.0, 0.0), (0.0, LATE_SECONDS), (LATE_SECONDS,)}
    pairs = [each.uploads for each in objects if len(each.uploads) == 2]
    assert any(older.deliveries > newer.deliveries for older, newer in pairs)


def test_every_kind_of_file_is_uploaded() -> None:
    assert {upload.kind for each in plan() for upload in each.uploads} == {Kind.GOOD, *BAD_KINDS}


def test_a_lasting_fault_is_met_by_every_attempt() -> None:
    # An empty file is refused before S3 or the endpoint is asked, so it would never meet their faults.
    for each in plan(rate=1):
        if each.fault and each.fault.service != "dynamodb":
            assert all(upload.kind is not Kind.EMPTY for upload in each.uploads)


def test_a_fault_under_which_an_event_may_succeed_never_lasts() -> None:
    lasting = [fault for fault in FAULTS if ALWAYS in fault.times]
    assert lasting
    assert not [fault for fault in lasting if fault.harmless or fault.action is Action.HOLD]
    written_all_the_same = (Action.LOSE, Action.FORWARD_AND_KILL)
    assert not [fault for fault in lasting if fault.service == "dynamodb" and fault.action in written_all_the_same]
    assert {times for fault in FAULTS for times in fault.times} == {1, 2, ALWAYS}
