"""The check of the browser tests: an uncaught error in a page fails the test."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Pages


def test_an_uncaught_error_in_a_page_fails_the_test(browser: Browser, tmp_path: Path) -> None:
    pages = Pages(browser)
    page = pages.open()
    with page.expect_event("pageerror"):
        page.set_content("<script>console.error('a warning'); throw new Error('uncaught error')</script>")
    evidence = pages.evidence(tmp_path)
    assert "uncaught error" in evidence
    assert "a warning" in evidence
    assert (tmp_path / "page-1.png").stat().st_size > 0
    with pytest.raises(AssertionError, match="uncaught error"):
        pages.close()


def test_pages_do_not_share_cookies(pages: Pages) -> None:
    one, other = pages.open(), pages.open()
    one.context.add_cookies([{"name": "session", "value": "mine", "url": "http://127.0.0.1"}])
    assert len(one.context.cookies()) == 1
    assert other.context.cookies() == []
