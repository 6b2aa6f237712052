"""The pages in other languages: in one made for the tests, nothing is untranslated, and everything fits."""

# Long because all pages share one gateway in a language of the tests.

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import ORIGIN, SCRIPTS
from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.browser.support.desktop import AtDesk
from tests.browser.support.pseudo_locale import CODE, UNTRANSLATED, write_pseudo_locale
from tests.browser.test_admin import log_in
from tests.browser.test_page_layout import OUTSIDE, header_rows
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

DATA_OF_FORMS = ", h2, .breadcrumbs, .readonly, .resources label, select, #user-tools strong"
"""Elements of the forms with values."""

OF_DJANGOS_SCRIPTS = "^(Today|(title|placeholder)=(Choose a Date|Filter|Support|admin|manager|.*agent))$"
"""Texts of the catalogue of Django's scripts, which the tests' language does not have, and values."""

DATA_OF_ADMIN = ", #result_list tbody, #changelist-filter li, .action-counter, #user-tools strong"
"""Elements of the admin with rows, their values as filters, and texts of Django's scripts."""


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A busy centre, whose pages also speak the tests' language."""
    folder = tmp_path_factory.mktemp("pseudo")
    write_pseudo_locale(folder)
    gateway = gateway_of_file(
        DJANGO_SETTINGS_MODULE="tests.browser.support.pseudo_settings",
        PSEUDO_LOCALE=str(folder),
        PLATFORM_API_URL="http://127.0.0.1:1",
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
    page.set_viewport_size({"width": 1440, "height": 900})


def open_panel(page: Page, button: str, panel: str) -> None:
    page.locator(button).click()
    expect(page.locator(panel)).to_be_visible()


def check_panel(page: Page, button: str, panel: str) -> None:
    """Open what a button opens, check it, and close it."""
    open_panel(page, button, panel)
    check(page, panel)
    page.keyboard.press("Escape")
    expect(page.locator(panel)).to_be_hidden()


def test_the_dashboard_is_translated_and_fits(pages: Pages, centre: Centre) -> None:
    page = pages.open(locale=CODE)
    watch(page, centre, token=centre.acme.token("admin"))
    expect(page.locator("#rows tr")).not_to_have_count(0)
    check(page, "live calls")
    open_panel(page, "#rows tr .open >> nth=0", "#story-steps li >> nth=0")
    check(page, "timeline")
    # The platform of this gateway cannot be reached.
    for name, confirm in (("hangup", "#confirm-do"), ("voicemail", "#confirm-do")):
        open_panel(page, f"#story-{name}", "#confirm-dialog")
        check(page, name)
        page.locator(confirm).click()
        expect(page.locator("#notice-text")).not_to_be_empty()
        check(page, "refusal")
        page.locator("#notice-close").click()
    open_panel(page, "#story-transfer", "#transfer-dialog")
    page.locator("#transfer-target").select_option("number")
    page.locator("#transfer-number").fill("abc")
    page.locator("#transfer-form [type=submit]").click()
    expect(page.locator("#transfer-error")).not_to_be_empty()
    check(page, "transfer")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    for button in ("#rows .act >> nth=0", "#agent-rows .act >> visible=true >> nth=0", "#views"):
        open_panel(page, button, "#action-menu")
        # It closes when the window becomes narrow.
        found = page.evaluate(UNTRANSLATED, ""), page.evaluate(OUTSIDE)
        assert found == ([], []), button
        page.keyboard.press("Escape")
    for button, panel in (
        ("#help-button", "#help"),
        ("#alerts-button", "#alerts"),
        ("#account-button", "#account-dialog"),
        ("#pages-button", "#pages"),
    ):
        check_panel(page, button, panel)
    page.keyboard.press("Control+k")
    check(page, "palette")
    page.locator("#palette-text").fill("no such command")
    check(page, "palette without commands")
    page.keyboard.press("Escape")
    page.locator("#search").fill("no such call")
    page.locator("#agent-search").fill("no such agent")
    page.locator("#pause").click()
    check(page, "nothing found, paused")


def test_the_views_of_the_dashboard_are_translated_and_fit(pages: Pages, centre: Centre) -> None:
    page = pages.open(locale=CODE)
    watch(page, centre, token=centre.acme.token("admin"))
    for place, panel in ((-2, "#view-dialog"), (-1, "#links-dialog")):
        open_panel(page, "#views", "#action-menu")
        open_panel(page, f"#action-menu button >> nth={place}", panel)
        page.locator(f"{panel} [type=submit]").click()
        check(page, panel)
        if panel == "#links-dialog":
            page.locator("#link-name").fill("Hall")
            page.locator("#link-make").click()
            expect(page.locator("#new-link")).to_be_visible()
            check(page, "new link")
            page.locator("#link-rows .renew").click()
            expect(page.locator("#link-rows li")).to_have_count(2)
            check(page, "renewed link")
            open_panel(page, "#link-rows .revoke >> nth=0", "#confirm-dialog")
            check(page, "revoke")
            page.keyboard.press("Escape")
        page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.locator("#look-back-at").fill("2099-01-01T10:00")
    page.locator("#look-back-form [type=submit]").click()
    expect(page.locator("#look-back-error")).not_to_be_empty()
    check(page, "look back")
    page.locator("#look-back-at").evaluate("""(field) => {
      const local = Date.now() - new Date().getTimezoneOffset() * 60_000;
      field.value = new Date(local - 1000).toISOString().slice(0, 19);
    }""")
    page.locator("#look-back-form [type=submit]").click()
    expect(page.locator("#look-back")).to_be_visible()
    check(page, "past moment")
    for view in ("?view=wall", "?view=history", "?at=2020-01-01T00:00:00Z"):
        watch(page, centre, view)
        if view.endswith("history"):
            expect(page.locator("#history-rows tr")).not_to_have_count(0)
        if view.startswith("?at="):
            expect(page.locator("#look-back-note")).not_to_have_text("")
        check(page, view)
    watch(page, centre, token=centre.acme.token("agent"), live=False)
    expect(page.locator("#denied")).to_be_visible()
    check(page, "denied", data=", #denied-topics")


def test_the_agent_desktop_is_translated_and_fits(pages: Pages, centre: Centre) -> None:
    page = pages.open(locale=CODE)
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    desk.publish(
        {
            "event_type": "message.received",
            "data": {
                "id": "m-1",
                "source": {"target": "+15552004712"},
                "text": "Hello?",
                "direction": "inbound",
            },
        }
    )
    desk.open(page)
    check(page, "desk")
    call = Call("Robin")
    desk.rings(call)
    expect(page.locator("#calls .call")).to_be_visible()
    check(page, "desk with a call", "^Support$|Alt")
    desk.talks(call)
    expect(page.locator("#calls [data-act=hangup]")).to_be_visible()
    page.locator("#calls [data-act=hangup]").click()
    expect(page.locator("#calls .error")).not_to_be_empty()
    check(page, "refusal")
    desk.ends(call)
    expect(page.locator("#note-form")).to_be_visible()
    check(page, "note")
    page.locator("#thread-rows button").first.click()
    expect(page.locator("#conversation")).to_be_visible()
    page.locator("#draft").fill("x" * 1700)
    check(page, "conversation")
    page.locator("#new-message").click()
    check(page, "new message")
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
    acme, agent, queue = centre.acme.id, centre.acme.people[0].id, centre.acme.queues[0]
    for address in (
        f"subscriptions/agent/{agent}/change/",
        f"subscriptions/queue/{queue}/change/",
        f"subscriptions/accesskey/add/?customer={acme}",
        f"subscriptions/accesskey/add/?customer={acme}&kind=display",
    ):
        page.goto(f"{centre.gateway.url}/admin/{address}")
        check(page, address, OF_DJANGOS_SCRIPTS, DATA_OF_FORMS)


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
    page.set_viewport_size({"width": 1440, "height": 900})
    for name in ("customer", "person"):
        page.locator(f"#{name}").evaluate(
            "each => { each.textContent = 'Nordlicht Kundenservice '.repeat(3) }"
        )
    assert header_rows(page) == 1
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
