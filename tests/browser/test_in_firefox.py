"""Journeys of the other files, in Firefox: signing in, live calls, the desk, and an outage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from deploy.programs import FIREFOX
from tests.browser.support.firefox_esr import launched_firefox
from tests.browser.test_agent_desktop import (  # noqa: F401
    centre,
    desk,
    test_a_call_is_transferred_and_another_sent_to_voicemail,
    test_a_keyboard_shortcut_accepts_a_call,
    test_no_event_is_lost_between_the_state_and_the_subscription,
    theirs,
)
from tests.browser.test_agent_desktop_in_trouble import (  # noqa: F401
    test_after_a_call_the_desk_says_that_it_is_wrap_up_and_offers_to_be_ready,
    test_hostile_texts_are_shown_as_text,
    test_the_page_fits_into_a_narrow_window,
)
from tests.browser.test_dashboard_connection import (  # noqa: F401
    test_a_lost_connection_is_shown_and_afterwards_nothing_is_missing,
    test_a_server_that_does_not_answer_makes_the_page_stale,
)
from tests.browser.test_dashboard_finding import test_search_finds_what_people_type  # noqa: F401
from tests.browser.test_page_session import (  # noqa: F401
    test_a_second_tab_opens_signed_in_and_signing_out_ends_all,
    test_closing_the_browser_ends_the_session_unless_it_is_to_stay,
    test_the_pages_work_without_site_data,
)
from tests.support.requirement import require


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Firefox for the tests of this file."""
    with launched_firefox(require(FIREFOX), tmp_path_factory.mktemp("firefox")) as browser:
        yield browser
