"""The text that the demo shows: addresses, logins and lines to copy."""

from __future__ import annotations

from collections.abc import Sequence

from voipbin_ws.demo.seeding import Demo, Login
from voipbin_ws.demo.simulation.model.tenants import ACME

PAGES = (
    ("/", "Live calls", ("acme-manager", "globex-admin")),
    ("/agent", "Agent desktop", ("anna", "ben")),
    ("/admin/", "Operation", ("operator", "acme-admin")),
)
"""Path, title, and logins to try."""

FOR_DEVELOPERS = (
    ("/docs", "Documentation", "quick starts in six languages"),
    ("/console", "Console", "watch and publish events live"),
)
"""Path, title and content of the pages that need no login."""

ROLES = {"admin": "admin", "manager": "manager", "agent": "agent", "staff": "platform staff"}


RESPONDER_LINES = (
    "Acme's customers write, too: a program answers what its hours are, and STOP (var/auto-responder.log).",
    "",
)


def banner(demo: Demo, port: int, *, simulating: bool, responding: bool) -> str:
    """Return the text for the terminal. A shell can evaluate its `export` lines."""
    url = f"http://127.0.0.1:{port}"
    key = demo.keys.publish[ACME.id]
    topic = f"customer_id:{ACME.id}:call:*"
    event = '{"event_type": "call.created", "data": {"id": "my-first-call", "status": "ringing"}}'
    lines = [
        "",
        f"voipbin-ws is running on {url}" + ("" if simulating else ", without the simulator (SIMULATE=0)"),
        "",
        *_table(
            [
                *(
                    (f"{url}{path}", title, f"sign in as {' or '.join(names)}")
                    for path, title, names in PAGES
                ),
                *((f"{url}{path}", title, content) for path, title, content in FOR_DEVELOPERS),
            ]
        ),
        "",
        *_logins(demo.logins),
        "",
        *(RESPONDER_LINES if responding else ()),
        "Listen, in another terminal, after the five lines below:",
        f"  .venv/bin/python manage.py listen '{topic}'",
        "",
        "Publish:",
        f"  curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\",
        f"    -d '{event}' {url}/v1.0/events",
        "",
        "For your own programs:",
        f"export VOIPBIN_WS_URL=ws://127.0.0.1:{port}/v1.0/ws",
        f"export VOIPBIN_API_URL={url}",
        f"export VOIPBIN_TOKEN={demo.token}",
        f"export VOIPBIN_PUBLISH_KEY={key}",
        f"export VOIPBIN_CUSTOMER_ID={ACME.id}",
        "",
        "Ctrl-C stops everything; the data stays.",
    ]
    return "\n".join(lines)


def _logins(logins: Sequence[Login]) -> list[str]:
    passwords = {login.password for login in logins if login.password}
    rows = [
        (
            login.person.username,
            login.person.name,
            f"{ROLES[login.person.role]} of {login.tenant.name}"
            if login.person.role != "staff"
            else ROLES["staff"],
            "" if login.password else "with the password that you gave",
        )
        for login in logins
    ]
    heading = f"Accounts, all with the password {passwords.pop()}:" if passwords else "Accounts:"
    return [heading, *_table(rows)]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        ("  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]
