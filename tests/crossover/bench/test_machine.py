"""The description of the machine."""

import json
import os
import platform
from pathlib import Path

import pytest

from crossover.bench import machine


def test_the_processor_has_the_name_from_cpuinfo() -> None:
    cpuinfo = (
        "processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC 9R14: 96 cores\n\nprocessor\t: 1\nmodel name\t: other\n"
    )
    assert machine.processor_model(cpuinfo) == "AMD EPYC 9R14: 96 cores"
    assert machine.processor_model("processor\t: 0\nBogoMIPS\t: 243.75") == platform.machine()


def test_package_versions_are_those_in_the_folder(tmp_path: Path) -> None:
    for name, version in (("numpy", "9.8.7"), ("botocore", "1.2"), ("urllib3", "2.0")):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    assert machine.versions_in(tmp_path) == {"numpy": "9.8.7", "botocore": "1.2"}


def test_the_description_names_no_host_and_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 3.12.99\n")
    python.chmod(0o755)
    monkeypatch.setattr(machine, "bundle_python", lambda: python)
    monkeypatch.setattr(machine, "inference_bundle", lambda kind: tmp_path)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.123, 4.0, 5.678))
    found = machine.describe()
    assert set(found) == {"processor", "processors", "memory_mb", "kernel", "python", "packages", "load_average"}
    assert found["load_average"] == [0.12, 4.0, 5.68]
    assert found["python"] == "3.12.99"  # the handlers', not the one that runs this
    assert found["processors"] >= 1
    assert found["memory_mb"] > 64
    assert platform.node() not in found.values()
    assert str(tmp_path) not in json.dumps(found)
