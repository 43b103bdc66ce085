"""A real browser for the tests of pages; those that need it are skipped where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from crossover.errors import CrossoverError
from crossover.report import picture

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="module")
def executable() -> str:
    try:
        return picture.find_browser()
    except CrossoverError as error:
        pytest.skip(str(error))


# No longer than a module: while it runs, no other test could run an event loop of its own.
@pytest.fixture(scope="module")
def browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with offline_context(browser) as context:
        yield context


@pytest.fixture(scope="module")
def shared_context(browser: Browser) -> Iterator[BrowserContext]:
    with offline_context(browser) as context:
        yield context


@contextmanager
def offline_context(browser: Browser) -> Iterator[BrowserContext]:
    """Where a page may ask for nothing beside itself, and its script may not complain."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    said: list[str] = []
    context.on("request", lambda request: None if request.is_navigation_request() else asked.append(request.url))
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(str(error.error)))
    yield context
    context.close()
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == []
    assert said == []
