"""The auto-responder beside a real gateway and the simulator's platform: killed, away and back, each message once."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import publish
from tests.journeys.support.office import HOURS, STOPPED, Office, new_number
from tests.journeys.support.simulated_platform import SimulatedPlatform
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

OF_ANOTHER_LOG = "0123456789ab.5"


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways) -> Gateway:
    return gateway_of_file()


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
    settle(gateway, acme)
    return acme


@pytest.fixture
def office(gateway: Gateway, acme: Company, tmp_path: Path) -> Iterator[Office]:
    with SimulatedPlatform(acme.id) as platform:
        platform.publish_to(gateway, acme)
        office = Office(gateway, acme, platform, tmp_path)
        yield office
        for process in office.processes:
            process.kill()


def test_killed_between_sending_and_noting_it_and_away_it_misses_and_doubles_nothing(office: Office) -> None:
    anna, ben, chloe, dana = (new_number() for _ in range(4))
    early = new_number()
    office.writes(early, "What are your hours?", "STOP")  # Before there was a responder.
    first = office.start()
    [requested] = office.writes(anna, "What are your hours?")
    office.got(anna, HOURS)
    publish(office.gateway, office.acme.key("that publishes"), requested)  # Once more, as another event.
    office.writes(anna, "Thanks!")
    office.writes(early, "Your hours?")

    with office.platform.held() as ordered:
        office.writes(ben, "Your hours, please")
        assert ordered.wait(30)
        first.kill()
    office.got(ben, HOURS)
    office.writes(chloe, "HOURS?", "Stop", "Your hours?")
    office.writes(dana, "Prices?")

    second = office.start()
    # Answers go in order: Dana's comes after all others would have.
    wait_until(lambda: office.platform.to(dana), "the answer to Dana")
    assert "prices" in office.platform.to(dana)[0]
    assert [office.platform.to(number) for number in (early, anna, ben, chloe)] == [
        [],
        [HOURS],
        [HOURS],
        [STOPPED],
    ]
    assert all(data["automatic"] is True for data in office.platform.sent)
    second.send(signal.SIGTERM)
    assert second.wait() == 0
    assert "Traceback" not in second.log_text()


def test_after_a_gap_it_answers_what_the_log_still_has_and_nothing_twice(office: Office) -> None:
    anna, ben, chloe = (new_number() for _ in range(3))
    first = office.start()
    office.writes(anna, "hours")
    office.got(anna, HOURS)
    first.send(signal.SIGINT)
    assert first.wait() == 0
    office.writes(ben, "hours")
    office.writes(chloe, "stop", "hours")
    with sqlite3.connect(office.database) as kept:
        kept.execute("UPDATE progress SET cursor = ?", (OF_ANOTHER_LOG,))
    kept.close()
    second = office.start()
    office.got(chloe, STOPPED)
    office.writes(anna, "hours")
    office.got(anna, HOURS, HOURS)
    assert (office.platform.to(ben), office.platform.to(chloe)) == ([HOURS], [STOPPED])
    assert "Messages may be missing" in second.log_text()


def test_while_the_platform_is_away_replies_wait(office: Office) -> None:
    anna = new_number()
    away = office.start(PLATFORM_API_URL="http://127.0.0.1:9")
    office.writes(anna, "hours")
    wait_until(lambda: "The platform cannot be reached" in away.log_text(), "a try")
    away.kill()
    office.start()
    office.got(anna, HOURS)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"VOIPBIN_TOKEN": "vb_wrong"}, "The gateway does not accept VOIPBIN_TOKEN: 401 "),
        ({"VOIPBIN_CUSTOMER_ID": "Acme"}, 'answers 400 customer_id: "Acme" is no id'),
        ({"PLATFORM_API_KEY": "wrong"}, "The platform does not accept PLATFORM_API_KEY: 401 Send the"),
    ],
)
def test_what_it_cannot_work_with_is_reported_in_one_line(
    office: Office, wrong: dict[str, str], said: str
) -> None:
    anna = new_number()
    process = office.start(ready="PLATFORM_API_KEY" in wrong, **wrong)
    office.writes(anna, "hours")
    assert process.wait() == 1
    assert said in process.log_text().splitlines()[-1]
    assert "Traceback" not in process.log_text()
