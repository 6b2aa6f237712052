"""Log lines: one for each request, with ids, in both formats, and never with a credential."""

from __future__ import annotations

import contextvars
import json
import logging
from typing import Any

import pytest
import structlog
from django.contrib.auth.models import User
from django.test import Client

from events.database.threads import in_database_thread
from events.redaction import redact_secrets
from tests.events.support.people import Company
from voipbin_ws.observability.log_config import logging_configuration

KEY = "vb_AbCdEfGh" + "Ijklmnopqrstuvwxyz012345"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

pytestmark = pytest.mark.django_db


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the lines of the request log."""
    return [record.msg for record in caplog.records if record.name == "voipbin_ws.http.request_log"]  # type: ignore[misc]


@pytest.fixture(autouse=True)
def _captured(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    # The gateway's loggers do not propagate to the root logger, where caplog listens.
    monkeypatch.setattr(logging.getLogger("voipbin_ws"), "propagate", True)
    caplog.set_level(logging.INFO, logger="voipbin_ws")


def test_a_request_leaves_one_line_with_its_identity_and_never_the_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    acme = Company()
    manager = acme.person("manager")
    Client().get(f"/v1.0/calls?token={manager.credential}&active=true", headers={"user-agent": "teller/1"})
    [line] = lines(caplog)
    assert (line["method"], line["path"]) == ("GET", "/v1.0/calls")
    assert (line["status"], line["client"], line["customer"]) == (200, "teller/1", acme.id)
    assert line["credential"] == f"agent:{manager.agent_id}"
    assert manager.credential not in str(line)
    assert "active" not in str(line)


def test_a_session_that_the_view_loaded_is_named_and_no_other_is_loaded(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    root = User.objects.create_superuser("root")
    client.force_login(root)
    client.get("/admin/")
    client.get("/nothing-here")
    assert [line.get("user") for line in lines(caplog)] == [root.pk, None]


def test_probes_are_not_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    Client().get("/healthz")
    assert lines(caplog) == []


@pytest.mark.parametrize(
    "given", ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "a" * 64]
)
def test_a_sane_request_id_is_kept_and_given_back(given: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = Client().get("/agent", headers={"x-request-id": given})
    assert answer["X-Request-ID"] == lines(caplog)[0]["request_id"] == given


@pytest.mark.parametrize("given", [None, "", "a" * 65, "two words", "-x", 'a"b', "<b>", "é", KEY, TOKEN])
def test_any_other_is_replaced(given: str | None, caplog: pytest.LogCaptureFixture) -> None:
    headers = {} if given is None else {"x-request-id": given}
    made = Client().get("/agent", headers=headers)["X-Request-ID"]
    assert len(made) == 32
    assert made != Client().get("/agent", headers=headers)["X-Request-ID"]


def test_a_defect_is_found_by_the_id_on_its_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("voipbin_ws.pages.views.render", broken)
    seen: list[str] = []
    keep = logging.Handler()
    keep.emit = lambda record: seen.append(formatted("json", record))  # type: ignore[method-assign]
    logging.getLogger("django.request").addHandler(keep)
    try:
        page = Client(raise_request_exception=False).get("/")
    finally:
        logging.getLogger("django.request").removeHandler(keep)
    assert f"logged as {page['X-Request-ID']}" in page.content.decode()
    assert json.loads(seen[0])["request_id"] == page["X-Request-ID"]


async def test_the_ids_reach_the_database_threads() -> None:
    with structlog.contextvars.bound_contextvars(connection_id="c1"):
        seen = await in_database_thread(structlog.contextvars.get_contextvars)
    assert seen == {"connection_id": "c1"}


# --- How it is written ---


def formatted(form: str, record: logging.LogRecord) -> str:
    """Return the record as the configured handler writes it."""
    made = logging_configuration("INFO", form)["formatters"]["line"]
    return str(
        structlog.stdlib.ProcessorFormatter(**{k: v for k, v in made.items() if k != "()"}).format(record)
    )


def record_of(
    message: str, *args: object, error: BaseException | None = None, name: str = "uvicorn.error"
) -> Any:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.WARNING, __file__, 1, message, args, exc_info)


def failure(text: str) -> BaseException:
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        return error


def test_as_json_every_line_is_an_object_even_with_a_trace() -> None:
    def write() -> str:
        structlog.contextvars.bind_contextvars(request_id="r1")
        return formatted("json", record_of("%d lost", 3, error=failure("line\nbreak")))

    text = contextvars.copy_context().run(write)
    assert "\n" not in text
    fields = json.loads(text)
    assert (fields["message"], fields["level"], fields["logger"]) == ("3 lost", "warning", "uvicorn.error")
    assert fields["request_id"] == "r1"
    assert fields["timestamp"].endswith("Z")
    assert "Traceback" in fields["exception"]


def test_readable_a_line_says_the_same() -> None:
    text = formatted("readable", record_of("%d lost", 3, error=failure("why")))
    assert "[warning  ] 3 lost [uvicorn.error]" in text
    assert "RuntimeError: why" in text


@pytest.mark.parametrize("form", ["readable", "json"])
def test_a_line_break_in_an_address_forges_no_log_line(form: str) -> None:
    text = formatted(form, record_of("GET %s", "/x\n2026-11-24 [info] all is well\x1b[2J"))
    assert "\n" not in text
    assert "\x1b" not in text


SECRETS = [
    (f"the key {KEY} is", "the key vb_AbCdEfGh… is"),
    (f"GET /v1.0/ws?token={KEY}&batch=true", "GET /v1.0/ws?token=[hidden]&batch=true"),
    ("?accesskey=anything-at-all HTTP/1.1", "?accesskey=[hidden] HTTP/1.1"),
    (f"{{'authorization': 'Bearer {TOKEN}'}}", "{'authorization': 'Bearer [token]'}"),
    (f"decoding {TOKEN} failed", "decoding [token] failed"),
    ("postgresql://voip:pass-word@db:5432/x", "postgresql://voip:[hidden]@db:5432/x"),
    ("redis://:pass-word@cache:6379", "redis://:[hidden]@cache:6379"),
]
NO_SECRETS = [
    "Send a credential: Authorization: Bearer <JWT or access key>, or ?token=",
    "Listening on http://127.0.0.1:8000",
    "customer_id:12345678-1234-1234-1234-123456789012:call:*",
    "key vb_AbCdEfGh is revoked",
]


@pytest.mark.parametrize(("text", "expected"), SECRETS)
def test_a_credential_is_shortened_in_every_line(text: str, expected: str) -> None:
    assert redact_secrets(text) == expected
    for form in ("readable", "json"):
        written = formatted(form, record_of("%s", text, error=failure(text)))
        assert not any(secret in written for secret in (KEY[11:], TOKEN, "pass-word", "anything-at-all"))


@pytest.mark.parametrize("text", NO_SECRETS)
def test_what_is_none_stays(text: str) -> None:
    assert redact_secrets(text) == text
