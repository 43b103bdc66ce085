"""A short run of each fuzz target, always the same."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("atheris") is None,
        reason="atheris has wheels for Python 3.12 to 3.14 on x86_64 Linux only",
    ),
]


@pytest.mark.parametrize(
    ("target", "runs"),
    [("fuzz_audio", 3_000), ("fuzz_image", 3_000), ("fuzz_tensor", 5_000), ("fuzz_s3_events", 30_000)],
)
def test_a_short_run_finds_no_crash(target: str, runs: int, tmp_path: Path) -> None:
    found = tmp_path / "found"
    # Without -reload=0 it would rerun its findings after a second, and so more often on a slow machine.
    run = subprocess.run(
        [sys.executable, FOLDER / f"{target}.py", "-seed=1", f"-runs={runs}", "-reload=0", "-timeout=60", found],
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert run.returncode == 0, run.stderr[-3_000:]
    assert f"Done {runs} runs" in run.stderr
