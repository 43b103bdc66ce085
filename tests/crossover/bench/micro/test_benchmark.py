"""The benchmark: its arithmetic, and its probes on the real bundles. No time is asserted."""

import json
import urllib.request

import pytest

from crossover.bench.environments import bundle_python, inference_bundle, proxy_bundle
from crossover.bench.micro import benchmark
from crossover.bench.probing import probe
from crossover.bench.stub_aws import stub_aws
from crossover.errors import CrossoverError
from stacks.find_python import find_python

needs_python = pytest.mark.skipif(find_python("3.12") is None, reason="no Python 3.12 here to run the bundles")


def measurement(observed: list[float], yardstick: list[float], limit: float | None) -> benchmark.Measurement:
    return benchmark.Measurement(
        name="m", unit="ms", observed=observed, yardstick_name="y", yardstick=yardstick, limit=limit
    )


def test_a_ratio_is_one_of_medians_and_keeps_every_observation() -> None:
    each = measurement([1.0, 2.0, 90.0], [4.0, 5.0, 3.0], 0.5)
    assert each.result == 0.5
    assert each.holds
    assert each.to_dict()["observed"] == [1.0, 2.0, 90.0]
    assert not measurement([2.1], [4.0], 0.5).holds
    assert measurement([2.1], [4.0], None).holds


def test_without_a_yardstick_the_median_itself_is_the_result() -> None:
    assert measurement([30.0, 31.0, 99.0], [], 100.0).result == 31.0


def test_the_report_is_json() -> None:
    report = benchmark.Report(
        measured_at="2026-11-22T00:00:00Z", machine={"processors": 2}, measurements=[measurement([1.0], [2.0], 1.0)]
    )
    read = json.loads(json.dumps(report.to_dict()))
    assert read["schema"] == 1
    assert read["measurements"][0]["result"] == 0.5


def test_the_stub_answers_s3_dynamodb_and_sagemaker_and_counts() -> None:
    with stub_aws(b"audio") as aws:
        assert urllib.request.urlopen(f"{aws.url}/bucket/key").read() == b"audio"
        write = urllib.request.Request(aws.url, b"{}", {"X-Amz-Target": "DynamoDB_20120810.PutItem"})
        assert urllib.request.urlopen(write).read() == b"{}"
        invocation = urllib.request.urlopen(f"{aws.url}/endpoints/e/invocations", b"{}")
        assert json.load(invocation)["top_labels"]
        assert aws.requests == {"s3": 1, "dynamodb": 1, "sagemaker": 1}


@needs_python
def test_a_probe_that_fails_says_why_in_a_sentence() -> None:
    with pytest.raises(CrossoverError, match=r"The probe proxy\.py failed: ModuleNotFoundError"):
        probe(bundle_python(), "proxy.py", "/no/bundle/here", "{}")


@needs_python
@pytest.mark.slow
def test_warm_calls_run_in_the_bundle() -> None:
    for warm in benchmark._warm(bundle_python(), inference_bundle(), calls=3):
        assert len(warm.observed) == len(warm.yardstick) == 3
        assert min(warm.observed + warm.yardstick) > 0


@needs_python
@pytest.mark.slow
def test_the_proxy_leaves_a_large_object_alone() -> None:
    memory = benchmark._proxy_memory(bundle_python(), proxy_bundle())
    assert 10 < memory.result < 100  # MB, of the 128 that it has
