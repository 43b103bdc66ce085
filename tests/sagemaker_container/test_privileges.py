"""Started as root, the server reads the model and then gives up root, or ends."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_container.privileges import UNPRIVILEGED_ID

from .conftest import MODEL, PATIENCE_SECONDS, ROOT, SPEECH, run_server

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root can start the server as root.")


def rights(process: int) -> set[tuple[str, ...]]:
    """User, groups, capabilities and whether it can gain some, of every thread of a process."""
    names = ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs")
    threads = [thread.read_text() for thread in Path("/proc", str(process), "task").glob("*/status")]
    assert len(threads) > 1
    fields = [dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", thread, flags=re.MULTILINE)) for thread in threads]
    return {tuple(thread[name] for name in names) for thread in fields}


@needs_root
@pytest.mark.slow
def test_root_reads_a_model_of_its_own_and_then_no_thread_has_any_rights(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir(mode=0o700)
    shutil.copy(MODEL, folder)

    with run_server(tmp_path, model_dir=folder) as server:
        server.wait_for_ping(200)
        answer = server.predict(SPEECH.read_bytes())
        found = rights(server.process.pid)

    ids, none = "\t".join([str(UNPRIVILEGED_ID)] * 4), "0" * 16
    assert answer.status == 200
    assert found == {(ids, ids, "", none, none, none, "1")}


@needs_root
@pytest.mark.slow
@pytest.mark.parametrize("capability", ["setuid", "setgid"])
def test_without_the_capability_to_become_another_user_it_ends_with_one_sentence(
    tmp_path: Path, capability: str
) -> None:
    without = ["setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}"]
    with run_server(tmp_path, prefix=without) as server:
        code = server.process.wait(PATIENCE_SECONDS)

    (sentence,) = server.log.read_text().splitlines()
    assert code == 1
    assert sentence == (
        "The server was started as root and cannot become user 10001 (Operation not permitted): allow the container "
        "the capabilities SETUID and SETGID, or start it as another user."
    )


@needs_root
def test_started_as_any_other_user_it_stays_that_user() -> None:
    script = """if True:
        import os
        from sagemaker_container.privileges import drop_root, forbid_new_privileges
        os.setgroups([])
        os.setresgid(4711, 4711, 4711)
        os.setresuid(4712, 4712, 4712)
        forbid_new_privileges()
        drop_root()
        print(*os.getresuid(), *os.getresgid())
    """
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert answer.stdout.split() == ["4712"] * 3 + ["4711"] * 3


@needs_root
def test_root_that_could_come_back_is_refused() -> None:
    script = """if True:
        import os
        from sagemaker_container.privileges import PrivilegesError, drop_root
        os.seteuid(10001)
        try:
            drop_root()
        except PrivilegesError as error:
            print(error)
    """
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "cannot become user 10001" in answer.stdout


@needs_root
def test_capabilities_that_stay_are_refused() -> None:
    script = """if True:
        from sagemaker_container.privileges import PrivilegesError, drop_root
        try:
            drop_root()
        except PrivilegesError as error:
            print(error)
    """
    keeping = ["setpriv", "--securebits=+no_setuid_fixup", sys.executable, "-c", script]
    answer = subprocess.run(keeping, cwd=ROOT, capture_output=True, text=True, check=True)

    assert answer.stdout.startswith("The server became user 10001, but still has the capabilities 0x")
