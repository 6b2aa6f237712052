"""The pages in other languages: in one made for the tests, nothing is untranslated, and everything fits."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import ORIGIN, SCRIPTS
from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.browser.support.desktop import AtDesk
from tests.browser.support.pseudo_locale import CODE, UNTRANSLATED, write_pseudo_locale
from tests.browser.test_admin import log_in
from tests.browser.test_page_layout import OUTSIDE
from tests.support.browser import Pages
from tests.support.gateways import Gateways

WIDTHS = (320, 768, 1920)
ADMIN = (
    "",
    "subscriptions/customer/",
    "subscriptions/customer/add/",
    "subscriptions/agent/",
    "subscriptions/queue/",
    "subscriptions/accesskey/",
    "subscriptions/liveconnection/",
    "subscriptions/auditrecord/",
    "subscriptions/auditrecord/explain/",
    "events/event/",
    "events/resourcestate/",
    "events/customerlog/",
    "search/?q=nobody",
    "subscriptions/customer/import/",
)
"""Pages of the admin, without their rows."""

DATA_OF_ADMIN = ", #result_list tbody, #changelist-filter li, .action-counter, #user-tools strong"
"""Elements of the admin with rows, their values as filters, and texts of Django's scripts."""


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A busy centre, whose pages also speak the tests' language."""
    folder = tmp_path_factory.mktemp("pseudo")
    write_pseudo_locale(folder)
    gateway = gateway_of_file(
        DJANGO_SETTINGS_MODULE="tests.browser.support.pseudo_settings", PSEUDO_LOCALE=str(folder)
    )
    centre = Centre(gateway)
    waiting, talking, past = Call("Dana"), Call("Omar", direction="outbound"), Call("Kim")
    queue, agent = centre.acme.queues[0], centre.acme.people[0].id
    centre.publish(
        waiting.created(), waiting.in_queue("queue.joined", queue, queue_name="Support"),
        talking.created(), talking.answered(),
        past.created(), past.in_queue("queue.joined", queue), past.in_queue("queue.left", queue, reason="abandoned"),
        past.ended(),
        {"event_type": "agent.status", "data": {"agent_id": agent, "status": "away"}},
    )  # fmt: skip
    return centre


def check(page: Page, where: str, known: str = "^$", data: str = "") -> None:
    """Check all texts of the page and that it fits; `known` matches data, which is also in elements `data`."""
    page.wait_for_load_state()
    found = [text for text in page.evaluate(UNTRANSLATED, data) if not re.search(known, text)]
    assert found == [], where
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, (where, width)
        assert page.evaluate(OUTSIDE) == [], (where, width)


def open_menu(page: Page, button: str, panel: str) -> None:
    page.locator(button).click()
    expect(page.locator(panel)).to_be_visible()


def test_the_dashboard_is_translated_and_fits(pages: Pages, centre: Centre) -> None:
    page = pages.open(locale=CODE)
    watch(page, centre)
    expect(page.locator("#rows tr")).not_to_have_count(0)
    check(page, "live calls")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("#rows tr .open").first.click()
    expect(page.locator("#story-steps li")).not_to_have_count(0)
    check(page, "timeline")
    page.keyboard.press("Escape")
    for button, panel in (
        ("#help-button", "#help"),
        ("#alerts-button", "#alerts"),
        ("#account-button", "#account-dialog"),
        ("#pages-button", "#pages"),
        ("#views", "#action-menu"),
    ):
        page.set_viewport_size({"width": 1440, "height": 900})
        open_menu(page, button, panel)
        check(page, panel)
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    check(page, "palette")
    for view in ("?view=wall", "?view=history"):
        page.set_viewport_size({"width": 1440, "height": 900})
        watch(page, centre, view)
        if view.endswith("history"):
            expect(page.locator("#history-rows tr")).not_to_have_count(0)
        check(page, view)


def test_the_agent_desktop_is_translated_and_fits(pages: Pages, centre: Centre) -> None:
    page = pages.open(locale=CODE)
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    desk.open(page)
    check(page, "desk")
    call = Call("Robin")
    desk.rings(call)
    expect(page.locator("#calls .call")).to_be_visible()
    check(page, "desk with a call", "^Support$|Alt")
    desk.clear()


def test_the_other_pages_are_translated_and_fit(pages: Pages, centre: Centre) -> None:
    page = pages.open(locale=CODE)
    for address in ("/", "/agent", "/nothing-here", "/admin/login/", "/wallboard/", "/invitation/"):
        page.goto(f"{centre.gateway.url}{address}")
        expect(page.locator("h1").locator("visible=true").first).to_be_visible()
        check(page, address)
    watch(page, centre)
    page.goto(f"{centre.gateway.url}/console")
    expect(page.locator("#disconnect")).to_be_visible()
    check(
        page,
        "console",
        r"^(Python|JavaScript|TypeScript|PHP|curl|voipbin-ws|customer_id|[a-z]+\.[a-z_]+)|placeholder=",
    )


def test_the_admin_is_translated_and_fits(pages: Pages, centre: Centre) -> None:
    page = pages.open(locale=CODE)
    log_in(page, centre.gateway)
    for address in ADMIN:
        page.goto(f"{centre.gateway.url}/admin/{address}")
        check(page, address or "index", data=DATA_OF_ADMIN)


def with_large_figures(socket: WebSocketRoute) -> None:
    """Let the gateway's summaries have more calls than a test can make."""

    def forward(frame: str | bytes) -> None:
        changed = re.sub(r'"answered": ?\d+', '"answered":98765', str(frame))
        changed = re.sub(r'"abandoned": ?\d+', '"abandoned":12345', changed)
        socket.send(re.sub(r'"service_level": ?[\w.]+', '"service_level":79.96', changed))

    socket.connect_to_server().on_message(forward)


def test_a_person_chooses_the_language(pages: Pages, centre: Centre) -> None:
    page = pages.open(locale="de-AT")
    page.route_web_socket("**/v1.0/ws*", with_large_figures)
    page.goto(f"{centre.gateway.url}/")
    expect(page.locator("h1").locator("visible=true")).to_have_text("Anmelden")
    page.locator("#username").fill("nobody")
    page.locator("#password").fill("wrong")
    page.locator("#login-button").click()
    expect(page.locator("#login-error")).to_have_text("Benutzername oder Passwort ist falsch")
    watch(page, centre)
    expect(page.locator("#connection-text")).to_have_text("Live")
    expect(page.locator("#board-view h1")).to_have_text("Aktuelle Anrufe")
    expect(page.locator("#card-abandoned-note")).to_have_text("12.345 von 111.110, letzte Stunde")
    expect(page.locator("#card-level")).to_have_text("79\N{NO-BREAK SPACE}%")
    page.locator("#pages-button").click()
    page.locator("#pages [data-language]").select_option("es")
    expect(page.locator("#board-view h1")).to_have_text("Llamadas en vivo")
    expect_live(page)
    expect(page.locator("#shown")).to_contain_text("llamadas")
    expect(page.locator("#card-abandoned-note")).to_have_text("12.345 de 111.110, última hora")


def test_refusals_with_values_are_translated(modules: Page) -> None:
    modules.goto(f"{ORIGIN}/")
    modules.evaluate("() => document.documentElement.lang = 'de'")
    modules.add_script_tag(path=SCRIPTS / "languages/de.js")
    for refusal, shown in (
        (
            "Too many failed logins from here: try again in 30 seconds",
            "Zu viele fehlgeschlagene Anmeldungen von hier: Versuchen Sie es in 30 Sekunden erneut",
        ),
        (
            "This password is too short. It must contain at least 8 characters. This password is too common.",
            "Dieses Passwort ist zu kurz. Es muss mindestens 8 Zeichen haben. Dieses Passwort ist zu gebräuchlich.",
        ),
        ("The platform refuses: no {line} (1)", "Die Plattform lehnt ab: no {line} (1)"),
        ("The platform refuses: it answers 418", "Die Plattform lehnt ab: Sie antwortet mit 418"),
        ("Something new.", "Something new."),
    ):
        script = "async (text) => (await import('/shared/refusals.js')).refusalText(text)"
        assert modules.evaluate(script, refusal) == shown


def test_numbers_shares_and_dates_are_written_as_the_language_does(modules: Page) -> None:
    # A browser in German that shows an English page, too.
    for language, *written in (
        ("en", "12,345", "80%", "2,000 calls", "15 January 2026", "15 Jan", "1,234 d 5 h"),
        ("de", "12.345", "80\xa0%", "2.000 calls", "15. Januar 2026", "15. Jan.", "1.234 d 5 h"),
        ("es", "12.345", "80\xa0%", "2000 calls", "15 de enero de 2026", "15 ene", "1234 d 5 h"),
    ):
        modules.goto(f"{ORIGIN}/")
        assert written == modules.evaluate(
            """async (language) => {
              document.documentElement.lang = language;
              const { ngettext, shownNumber, shownPercent } = await import("/shared/gettext.js");
              const { duration, shownDate, shownDay } = await import("/shared/time.js");
              const day = new Date(2026, 0, 15);
              const calls = ngettext("{count} call", "{count} calls", 2000);
              const long = duration((1234 * 24 + 5) * 3_600_000);
              return [shownNumber(12345), shownPercent(0.8), calls, shownDate(day), shownDay(day), long];
            }""",
            language,
        )
