"""The browser tests' own watch: an error in a page's script is a failed test, though nothing else noticed it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Pages


def test_an_uncaught_error_in_a_page_fails_the_test(browser: Browser, tmp_path: Path) -> None:
    pages = Pages(browser)
    page = pages.open()
    with page.expect_event("pageerror"):
        page.set_content("<script>console.error('a warning'); throw new Error('nobody caught me')</script>")
    evidence = pages.evidence(tmp_path)
    assert "nobody caught me" in evidence
    assert "a warning" in evidence
    assert (tmp_path / "page-1.png").stat().st_size > 0
    with pytest.raises(AssertionError, match="nobody caught me"):
        pages.close()


def test_people_do_not_share_their_cookies(pages: Pages) -> None:
    one, other = pages.open(), pages.open()
    one.context.add_cookies([{"name": "session", "value": "mine", "url": "http://127.0.0.1"}])
    assert len(one.context.cookies()) == 1
    assert other.context.cookies() == []
