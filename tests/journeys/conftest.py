"""The cast that the journeys of a file share, on each of the four stacks in turn."""

from __future__ import annotations

import pytest

from tests.journeys.support.cast import Company, Key, Person, company, settle
from tests.support.gateway import Gateway
from tests.support.stacks import BOTH_SERVERS, Stack


@pytest.fixture(scope="module", params=BOTH_SERVERS, ids=str)
def stack(request: pytest.FixtureRequest) -> Stack:
    """For a file of tests that start a gateway of their own: each server and each database once."""
    found: Stack = request.param
    return found


@pytest.fixture(scope="module")
def cast(gateway_on_each_stack: Gateway) -> tuple[Company, Company, Company]:
    """Two customers and the platform's own, in the gateway's database."""
    platform = Company("Platform", [Person("staff", role="staff")], [])
    platform.keys.append(Key("of the staff", agent_id=platform.people[0].id, may_publish=True))
    everybody = (company("Acme"), company("Globex"), platform)
    settle(gateway_on_each_stack, *everybody)
    return everybody


@pytest.fixture(scope="module")
def acme(cast: tuple[Company, Company, Company]) -> Company:
    """The customer whom a test is about."""
    return cast[0]


@pytest.fixture(scope="module")
def globex(cast: tuple[Company, Company, Company]) -> Company:
    """The stranger."""
    return cast[1]


@pytest.fixture(scope="module")
def platform(cast: tuple[Company, Company, Company]) -> Company:
    """The customer of the platform's staff."""
    return cast[2]
