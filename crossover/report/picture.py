"""A picture of a page's chart, rendered by a headless Chromium on this machine."""

import base64
import contextlib
import html
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import unquote

from crossover.errors import CrossoverError, UsageError
from crossover.report.page import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
KINDS = ("png", "svg")
MAX_SECONDS = 60
# The page is our own and loads nothing from the network. The sandbox does not work as root, so it is off.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--no-zygote",  # one process fewer that could outlive the others
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # which is small in containers
    "--no-first-run",
    "--hide-scrollbars",
    "--blink-settings=preferredColorScheme=1",  # light
    "--virtual-time-budget=20000",  # ms; they pass at once when the page is idle
    "--dump-dom",
)


def kind_of(path: Path) -> str:
    """The format of a picture with this file name: "png" or "svg".

    Raises:
        UsageError: its suffix is neither.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise UsageError(f"The image is {str(path)!r}; its name must end in .png or .svg.")
    return kind


def find_browser() -> str:
    """The path of a Chromium or Chrome.

    Raises:
        CrossoverError: none is on the PATH.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise CrossoverError(
            f"A picture needs a browser, but none of {', '.join(BROWSERS)} is on the PATH; install chromium."
        )
    return found


def render(page: Page, kind: str, *, browser: str, seconds: float = MAX_SECONDS) -> bytes:
    """The page's chart as a PNG or SVG file.

    Raises:
        CrossoverError: the browser fails, takes too long, or draws no chart.
    """
    with tempfile.TemporaryDirectory(prefix="crossover-", ignore_cleanup_errors=True) as folder:
        source = Path(folder) / "page.html"
        source.write_text(page.html(image=kind), encoding="utf-8")
        profile = f"--user-data-dir={folder}/profile"
        dom = _run([browser, *FLAGS, profile, source.as_uri()], folder, seconds)
    found = re.search(r'<pre id="image"[^>]*>data:image/[a-z+]+([^,]*),([^<]*)</pre>', dom)
    if found is None:
        raise CrossoverError(f"The browser {browser} drew no chart.")
    encoding, content = found[1], html.unescape(found[2])
    return base64.b64decode(content) if "base64" in encoding else unquote(content).encode()


def _run(command: list[str], folder: str, seconds: float) -> str:
    """What the browser prints. All its processes have ended afterwards, and all its files are in the folder."""
    own = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=own, start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise CrossoverError(f"The browser {command[0]} had drawn no chart after {seconds:g} s.") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise CrossoverError(f"The browser {command[0]} failed with exit code {process.returncode}.")
    return output.decode(errors="replace")
