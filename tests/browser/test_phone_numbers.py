"""One number in every spelling, of two customers in two regions, on both servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, watch
from tests.browser.support.desktop import AtDesk, message, thread
from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import post, publish
from tests.subscriptions.support.platform_server import Platform, platform
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways

_REGION = "from subscriptions.models import Customer; Customer.objects.filter(pk='{0}').update(region='{1}')"


@pytest.fixture(scope="module")
def theirs() -> Iterator[Platform]:
    with platform() as server:
        yield server


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def gateway(request: pytest.FixtureRequest, gateway_of_file: Gateways, theirs: Platform) -> Gateway:
    return gateway_of_file(request.param, PLATFORM_API_URL=theirs.url)


@pytest.fixture(scope="module")
def german(gateway: Gateway) -> Centre:
    centre = Centre(gateway, passwords=False)
    gateway.manage("shell", "--command", _REGION.format(centre.acme.id, "DE"))
    return centre


@pytest.fixture(scope="module")
def american(gateway: Gateway) -> Company:
    american = company("American")
    settle(gateway, american)
    gateway.manage("shell", "--command", _REGION.format(american.id, "US"))
    return american


def new_digits() -> str:
    """Return the digits of a subscriber in Berlin, behind 30, that no other test uses."""
    return f"9{uuid.uuid4().int % 10_000_000:07d}"


def spellings(digits: str) -> list[str]:
    """Return spellings of +49 30 and these digits, as people in Germany, programs and platforms write them."""
    one, other = digits[:4], digits[4:]
    full = f"+4930{digits}"
    return [
        *(full, f"0049 30 {digits}", f"49 30 {digits}", f"tel:+49-30-{one}-{other}", f"030 {one} {other}"),
        *(f"sip:{full}@gw.example;user=phone", f"+49 (0)30 {digits}", f"(030) {one}/{other}"),
        *(_in_script(full, 0xFF10), _in_script(f"030{digits}", 0x0660), _in_script(full, 0x0966)),
    ]


def _in_script(number: str, zero: int) -> str:
    return "".join(chr(zero + int(each)) if each.isdigit() else each for each in number)


def write_to(gateway: Gateway, customer: Company, number: str) -> tuple[int, str]:
    answer = post(gateway, customer.token("granted agent"), {"to": number, "text": "Hello"}, "/v1.0/messages")
    return answer.status_code, answer.json().get("code", "")


def test_stop_in_any_spelling_ends_all_messages_to_the_number_until_start(
    gateway: Gateway, german: Centre, american: Company
) -> None:
    digits = new_digits()
    for spelling in spellings(digits):
        german.publish(message(spelling, "STOP"))
        for number in (f"+4930{digits}", f"004930{digits}", f"4930{digits}", f"030{digits}"):
            assert write_to(gateway, german.acme, number) == (409, "OPTED_OUT"), (spelling, number)
        assert write_to(gateway, american, f"+4930{digits}") == (201, "")
        german.publish(message(spelling, "Start"))
        assert write_to(gateway, german.acme, f"030{digits}") == (201, ""), spelling


def test_each_customers_region_decides_what_a_national_number_is(
    gateway: Gateway, german: Centre, american: Company
) -> None:
    national = f"30{new_digits()}"
    publish(gateway, american.key("that publishes"), message(national, "STOP"))
    assert write_to(gateway, american, f"+1{national}") == (409, "OPTED_OUT")
    assert write_to(gateway, american, f"+49{national}") == (201, "")
    assert write_to(gateway, german.acme, national) == (201, "")
    german.publish(message(f"0{national}", "STOP"))
    assert write_to(gateway, german.acme, f"+49{national}") == (409, "OPTED_OUT")
    assert write_to(gateway, german.acme, f"+1{national}") == (201, "")


def test_the_dashboards_search_finds_a_call_by_every_spelling(
    page: Page, german: Centre, american: Company
) -> None:
    digits = new_digits()
    calls = [Call(source={"type": "tel", "target": each}) for each in spellings(digits)]
    other, foreign = Call(source="+493011223344"), Call(source=f"+4930{digits}")
    german.publish(*(call.created() for call in calls), other.created())
    german.publish(foreign.created(), whose=american)
    watch(page, german)
    for words in [*spellings(digits), digits[2:]]:
        page.get_by_label("Search calls").fill(words)
        expect(other.row(page)).to_have_count(0)
        expect(page.locator("#rows tr")).to_have_count(len(calls))
    german.publish(*(call.ended() for call in calls), other.ended())


def test_an_agent_has_one_conversation_with_all_spellings_and_replies_in_e164(
    page: Page, german: Centre, american: Company, theirs: Platform
) -> None:
    digits = new_digits()
    number = f"+4930{digits}"
    desk = AtDesk(german, german.acme.person("granted agent"))
    *before, last = reversed(spellings(digits))
    desk.publish(*(message(each, f"From {each}") for each in before))
    desk.publish(message(number, "STOP"), whose=american)
    desk.open(page)
    row = thread(page, number)
    row.click()
    expect(page.locator("#bubbles li")).to_have_count(len(before))
    desk.publish(message(last, "Live"))
    expect(page.locator("#bubbles li")).to_have_count(len(before) + 1)
    expect(page.locator(f"#thread-rows [data-number$='{digits}']")).to_have_count(1)
    page.get_by_label("Reply").fill("Thank you")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_label("Reply")).to_have_value("")
    assert theirs.requests[-1][2]["destinations"] == [{"type": "tel", "target": number}]
    desk.publish(message(before[0], "STOP"))
    expect(page.locator("#opted-out")).to_be_visible()
    desk.publish(message(last, "START"))
    expect(page.locator("#opted-out")).to_be_hidden()
