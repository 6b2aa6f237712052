"""The table of publish requests through both servers: the same status, body and headers as in the process."""

from __future__ import annotations

from http.client import HTTPConnection

from tests.events.support.publish_cases import CASES, KEY, masked
from tests.journeys.support.cast import Company
from tests.journeys.support.conversation import PATIENCE_SECONDS, post
from tests.support.gateway import Gateway


def test_a_request_is_answered_as_the_table_has_it(gateway_on_each_stack: Gateway, acme: Company) -> None:
    """The cases that a server lets pass: their length is the right one."""
    served = [case for case in CASES if case.length == "right"]
    assert len(served) > 50
    connection = HTTPConnection("127.0.0.1", gateway_on_each_stack.port, timeout=PATIENCE_SECONDS)
    for case in served:
        key = acme.key("that publishes" if case.may_publish else "of the customer")
        if case.earlier is not None:
            assert (
                post(gateway_on_each_stack, key, case.earlier, case.path, **dict(case.headers)).status_code
                == 201
            )
        connection.putrequest(
            "POST", f"{case.path}?{case.query}".replace(KEY, key), skip_accept_encoding=True
        )
        for name, value in case.sent_headers(key):
            connection.putheader(name, value)
        connection.endheaders(case.body)
        answer = connection.getresponse()
        assert (answer.status, masked(answer.read().decode())) == (case.status, case.text), case.name
        headers = {name.lower(): value for name, value in answer.getheaders()}
        assert case.own_headers.items() <= headers.items(), case.name
        assert (headers["content-type"], headers["cache-control"]) == ("application/json", "no-store")
        assert headers["x-request-id"]
    connection.close()
