"""Signing out and changing a password end the person's own tokens and connections, wherever it is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.support.cast import Company, Person, new_id, settle
from tests.journeys.support.conversation import Conversation, get, post
from tests.journeys.support.operator_browser import PASSWORD, OperatorBrowser, superuser
from tests.support.gateway import Gateway

NEW = "another horse 2"
TO_STAFF = """
from django.contrib.auth.models import User
User.objects.filter(agent="{id}").update(is_staff=True)
"""
CHANGE = """
from unittest import mock
from django.core.management import call_command
with mock.patch("getpass.getpass", return_value="{password}"):
    call_command("changepassword", "{username}", verbosity=0)
"""


@pytest.fixture(scope="module")
def root(gateway_on_each_stack: Gateway) -> OperatorBrowser:
    return superuser(gateway_on_each_stack)


@pytest.fixture
def mary(gateway_on_each_stack: Gateway) -> Person:
    mary = Person(f"mary-{new_id()[:8]}", role="admin", password=PASSWORD)
    settle(gateway_on_each_stack, Company("Acme", [mary], []))
    gateway_on_each_stack.manage("shell", "--verbosity", "0", "--command", TO_STAFF.format(id=mary.id))
    return mary


@pytest.fixture(scope="module")
def gus(gateway_on_each_stack: Gateway) -> Person:
    """Another customer's agent, who stays signed in."""
    gus = Person("gus", password=PASSWORD)
    settle(gateway_on_each_stack, Company("Globex", [gus], []))
    return gus


def log_in(gateway: Gateway, person: Person, password: str = PASSWORD) -> str:
    answer = post(gateway, "", {"username": person.name, "password": password}, "/auth/login")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def in_the_admin(gateway: Gateway, mary: Person, root: OperatorBrowser) -> None:
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert OperatorBrowser(gateway, mary.name).post("/admin/password_change/", form).status_code == 302


def by_a_superuser(gateway: Gateway, mary: Person, root: OperatorBrowser) -> None:
    out = gateway.manage(
        "shell",
        "--verbosity",
        "0",
        "--command",
        f"from django.contrib.auth.models import User\nprint(User.objects.get(agent='{mary.id}').pk)",
    )
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert root.post(f"/admin/auth/user/{out.strip()}/password/", form).status_code == 302


def with_an_invitation(gateway: Gateway, mary: Person, root: OperatorBrowser) -> None:
    action = {"action": "invite", "_selected_action": mary.id}
    page = root.post("/admin/subscriptions/agent/", action)
    [secret] = re.findall(r"/invitation/#([\w-]+)", page.text)
    body = {"invitation": secret, "password": NEW}
    accepted = post(gateway, "", body, "/auth/invitation/accept")
    assert accepted.status_code == 200, accepted.text
    assert get(gateway, accepted.json()["token"], "/v1.0/me").status_code == 200
    assert post(gateway, "", body, "/auth/invitation/accept").status_code == 401


def by_the_command(gateway: Gateway, mary: Person, root: OperatorBrowser) -> None:
    script = CHANGE.format(username=mary.name, password=NEW)
    gateway.manage("shell", "--verbosity", "0", "--command", script)


def over_rest(gateway: Gateway, mary: Person, root: OperatorBrowser) -> None:
    token = log_in(gateway, mary)
    body = {"password": PASSWORD, "new_password": NEW}
    answer = post(gateway, token, body, "/auth/password")
    assert answer.status_code == 200, answer.text
    assert get(gateway, answer.json()["token"], "/v1.0/me").status_code == 200


PLACES = [in_the_admin, by_a_superuser, with_an_invitation, by_the_command, over_rest]


@pytest.mark.parametrize("change", PLACES, ids=lambda each: each.__name__)
def test_a_new_password_ends_tokens_and_sockets_wherever_it_is_set(
    gateway_on_each_stack: Gateway,
    mary: Person,
    gus: Person,
    root: OperatorBrowser,
    change: Callable[[Gateway, Person, OperatorBrowser], None],
) -> None:
    gateway = gateway_on_each_stack
    stolen = log_in(gateway, mary)
    with Conversation(gateway, stolen) as socket, Conversation(gateway, gus.token) as other:
        change(gateway, mary, root)
        frames, code = socket.until_closed()
        assert (frames[-1]["code"], code) == ("REVOKED", 4403)
        assert other.before_pong() == []
    assert get(gateway, stolen, "/v1.0/me").status_code == 401
    assert get(gateway, gus.token, "/v1.0/me").status_code == 200
    assert get(gateway, log_in(gateway, mary, NEW), "/v1.0/me").status_code == 200


def event(gateway: Gateway, token: str) -> int:
    body: dict[str, Any] = {"event_type": "call.created", "data": {"id": new_id()}}
    return post(gateway, token, body).status_code


def test_logging_out_ends_one_token_and_its_socket_and_no_other(
    gateway_on_each_stack: Gateway, mary: Person, gus: Person
) -> None:
    gateway = gateway_on_each_stack
    one, two = log_in(gateway, mary), log_in(gateway, mary)
    # Publishing caches identities.
    assert (event(gateway, one), event(gateway, two)) == (201, 201)
    with Conversation(gateway, one) as ended, Conversation(gateway, two) as stays:
        assert post(gateway, one, {}, "/auth/logout").json()["everywhere"] is False
        frames, code = ended.until_closed()
        assert (frames[-1]["code"], code) == ("REVOKED", 4403)
        assert stays.before_pong() == []
    assert get(gateway, one, "/v1.0/me").status_code == 401
    assert (event(gateway, one), event(gateway, two)) == (401, 201)
    # The last character of a signature has several spellings.
    spellings = [
        one[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    ]
    assert {get(gateway, each, "/v1.0/me").status_code for each in spellings} == {401}
    assert get(gateway, gus.token, "/v1.0/me").status_code == 200
    assert post(gateway, one, {}, "/auth/logout").status_code == 401


def test_signing_out_everywhere_ends_all_tokens_and_admin_sessions(
    gateway_on_each_stack: Gateway, mary: Person, gus: Person
) -> None:
    gateway = gateway_on_each_stack
    one, two = log_in(gateway, mary), log_in(gateway, mary)
    browser = OperatorBrowser(gateway, mary.name)
    with Conversation(gateway, two) as socket, Conversation(gateway, gus.token) as other:
        assert post(gateway, one, {"everywhere": True}, "/auth/logout").json()["everywhere"] is True
        assert socket.until_closed()[1] == 4403
        assert other.before_pong() == []
    assert [get(gateway, each, "/v1.0/me").status_code for each in (one, two)] == [401, 401]
    assert browser.get("/admin/").status_code == 302
    assert get(gateway, log_in(gateway, mary), "/v1.0/me").status_code == 200


def test_a_wrong_present_password_and_a_weak_new_one_change_nothing(
    gateway_on_each_stack: Gateway, mary: Person
) -> None:
    gateway, token = gateway_on_each_stack, mary.token
    for body, field in (
        ({"password": "a guess", "new_password": NEW}, "password"),
        ({"password": PASSWORD, "new_password": "12345"}, "new_password"),
        ({"password": PASSWORD}, "new_password"),
        ({"password": PASSWORD, "new_password": NEW, "more": 1}, "more"),
    ):
        answer = post(gateway, token, body, "/auth/password")
        assert answer.status_code == 400, answer.text
        assert answer.json()["errors"][0]["field"] == field
    guesses = [
        post(gateway, token, {"password": "x", "new_password": NEW}, "/auth/password") for _ in range(6)
    ]
    assert guesses[-1].status_code == 429
    assert int(guesses[-1].headers["Retry-After"]) >= 1
    assert get(gateway, token, "/v1.0/me").status_code == 200


def test_a_manager_ends_an_agents_tokens_and_sockets_and_no_others(
    gateway_on_each_stack: Gateway, gus: Person
) -> None:
    gateway = gateway_on_each_stack
    ann, boss = Person("ann"), Person("boss", role="manager")
    settle(gateway, Company("Acme", [ann, boss], []))
    address = f"/v1.0/agents/{ann.id}/sign-out"
    with Conversation(gateway, ann.token) as ended, Conversation(gateway, boss.token) as stays:
        assert post(gateway, gus.token, {}, address).status_code == 403
        assert ended.before_pong() == []
        assert post(gateway, boss.token, {}, address).status_code == 200
        frames, code = ended.until_closed()
        assert (frames[-1]["code"], code) == ("REVOKED", 4403)
        assert stays.before_pong() == []
    assert get(gateway, ann.token, "/v1.0/me").status_code == 401
