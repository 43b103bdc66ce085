"""Pictures: errors of the browser. A real one runs in test_in_browser."""

import stat
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from crossover.errors import CrossoverError, UsageError
from crossover.report import picture
from crossover.report.page import Page

PAGE = Page(title="", body="", data=None, scripts=("cost.js",))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def browser(folder: Path, script: str) -> str:
    """A program that is taken for a browser."""
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_what_the_page_leaves_is_the_picture(tmp_path: Path, scratch: Path) -> None:
    png = browser(tmp_path, """echo '<pre id="image" hidden="">data:image/png;base64,aGVsbG8=</pre>'""")
    assert picture.render(PAGE, "png", browser=png) == b"hello"
    svg = browser(tmp_path, """echo '<pre id="image" hidden="">data:image/svg+xml,%3Csvg%3Eü&amp;</pre>'""")
    assert picture.render(PAGE, "svg", browser=svg) == "<svg>ü&".encode()
    assert not list(scratch.iterdir())


def test_the_browser_gets_the_page_and_its_own_folder(tmp_path: Path, scratch: Path) -> None:
    script = f'echo "$@" > {tmp_path}/arguments; for last; do :; done; cp "${{last#file://}}" {tmp_path}/page; exit 1'
    with pytest.raises(CrossoverError):
        picture.render(PAGE, "png", browser=browser(tmp_path, script))
    arguments = (tmp_path / "arguments").read_text().split()
    assert f"--user-data-dir={scratch}/" in " ".join(arguments)
    assert "--headless" in arguments
    assert 'data-image="png"' in (tmp_path / "page").read_text()


def test_a_browser_that_hangs_is_ended_with_all_its_children(tmp_path: Path, scratch: Path) -> None:
    hanging = browser(tmp_path, f"sleep 300 & echo $! > {tmp_path}/child; sleep 300")
    with pytest.raises(CrossoverError, match=r"had drawn no chart after 1 s\.$"):
        picture.render(PAGE, "png", browser=hanging, seconds=1)
    assert not list(scratch.iterdir())
    child = int((tmp_path / "child").read_text())
    until = time.monotonic() + 10
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_browser_that_fails_is_named(tmp_path: Path, scratch: Path) -> None:
    with pytest.raises(CrossoverError, match=r"chromium failed with exit code 7\.$"):
        picture.render(PAGE, "png", browser=browser(tmp_path, "exit 7"))


def test_a_browser_that_draws_nothing_is_named(tmp_path: Path, scratch: Path) -> None:
    with pytest.raises(CrossoverError, match=r"chromium drew no chart\.$"):
        picture.render(PAGE, "png", browser=browser(tmp_path, "echo '<html></html>'"))


def test_without_a_browser_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CrossoverError, match=r"needs a browser, but none of chromium, .* is on the PATH"):
        picture.find_browser()
    made = browser(tmp_path, "")
    assert picture.find_browser() == made


@pytest.mark.parametrize(("name", "kind"), [("a.png", "png"), ("b.SVG", "svg")])
def test_the_suffix_gives_the_format(name: str, kind: str) -> None:
    assert picture.kind_of(Path(name)) == kind


@pytest.mark.parametrize("name", ["a.gif", "png"])
def test_another_suffix_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"The image is '{name}'; its name must end in .png or .svg."):
        picture.kind_of(Path(name))
