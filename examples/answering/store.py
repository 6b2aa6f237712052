"""The state that survives restarts, in an SQLite file: cursor, opt-outs and replies."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from events.domain.phone_number import canonical_number
from examples.answering.errors import FatalError
from examples.answering.messages import Message
from examples.answering.rules import Rules

REMEMBERED = timedelta(days=90)
"""How long answered messages are recorded: far longer than the time in which a message may be answered."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to be sent; `at` is the time of the message that it answers."""

    number: int
    message_id: str
    phone: str
    line: str
    text: str
    at: datetime


class Store:
    """The SQLite file with the cursor, the opt-outs, and the replies sent or to be sent.

    Numbers are stored in E.164, so that all spellings are one number; national ones are those of `region`.
    """

    def __init__(self, path: Path, customer_id: str, now: datetime, region: str = "") -> None:
        self._region = region
        self._db = sqlite3.connect(path, timeout=5)
        # A crash of the machine may lose the last transactions. They have cursor and replies, so they are repeated.
        self._db.executescript(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS progress (customer_id TEXT, begun_at TEXT, cursor TEXT);
            CREATE TABLE IF NOT EXISTS our_lines (line TEXT PRIMARY KEY);
            CREATE TABLE IF NOT EXISTS opt_outs (phone TEXT PRIMARY KEY, since TEXT);
            CREATE TABLE IF NOT EXISTS replies (
                number INTEGER PRIMARY KEY, message_id TEXT UNIQUE, phone TEXT, line TEXT, text TEXT, at TEXT,
                state TEXT  -- waiting, sent, refused, dropped, or silent if no reply was needed
            );
            CREATE INDEX IF NOT EXISTS replies_of_phone ON replies (phone, at);
            CREATE INDEX IF NOT EXISTS replies_waiting ON replies (number) WHERE state = 'waiting';
            """
        )
        with self._db:
            begin = "INSERT INTO progress SELECT ?, ?, NULL WHERE NOT EXISTS (SELECT 1 FROM progress)"
            self._db.execute(begin, (customer_id, _text(now)))
            forget = "DELETE FROM replies WHERE state != 'waiting' AND at < ?"
            self._db.execute(forget, (_text(now - REMEMBERED),))
            # An earlier version stored numbers as they were spelled.
            for (phone,) in self._db.execute("SELECT phone FROM opt_outs").fetchall():
                spelled = "UPDATE OR REPLACE opt_outs SET phone = ? WHERE phone = ?"
                self._db.execute(spelled, (self._in_e164(phone), phone))
        stored_customer, begun_at, self.cursor = self._db.execute("SELECT * FROM progress").fetchone()
        self.begun_at = datetime.fromisoformat(begun_at)
        if stored_customer != customer_id:
            raise FatalError(
                f"{path} is of another customer, {stored_customer}: name another file with --database"
            )

    def close(self) -> None:
        self._db.close()

    def record(
        self, messages: Iterable[Message], rules: Rules, cursor: str | None, *, since: datetime | None = None
    ) -> None:
        """Store the replies to messages and the cursor, in one transaction.

        Messages from before `since` get no reply.
        """
        with self._db:
            for message in messages:
                message = replace(
                    message, phone=self._in_e164(message.phone), line=self._in_e164(message.line)
                )
                self._decide(message, rules, is_late=since is not None and message.at < since)
            if cursor is not None:
                self._db.execute("UPDATE progress SET cursor = ?", (cursor,))
        self.cursor = cursor or self.cursor

    def _in_e164(self, phone: str) -> str:
        number = canonical_number(phone, self._region)
        return number if number.removeprefix("+").isdigit() else phone

    def _decide(self, message: Message, rules: Rules, *, is_late: bool) -> None:
        if message.line:
            self._db.execute("INSERT OR IGNORE INTO our_lines VALUES (?)", (message.line,))
        if not message.received or not message.phone or self._is_own_line(message.phone):
            return
        keyword = rules.parse_keyword(message.text)
        reply = None if message.automatic else rules.reply_to(message.text)
        if (keyword is None and reply is None) or self._is_recorded(message):
            return
        if keyword is not None:
            reply = keyword.reply if self._apply_keyword(message, opts_out=keyword is rules.stop) else None
        elif self._is_opted_out(message.phone) or self._is_over_limit(message, rules):
            reply = None
        self._db.execute(
            "INSERT INTO replies (message_id, phone, line, text, at, state) VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(message.id, message.phone, message.line, reply or "", _text(message.at)),
                "silent" if reply is None or is_late else "waiting",
            ),
        )

    def _apply_keyword(self, message: Message, *, opts_out: bool) -> bool:
        """Apply STOP or START; return whether that changed anything."""
        if not opts_out:
            return self._db.execute("DELETE FROM opt_outs WHERE phone = ?", (message.phone,)).rowcount > 0
        row = (message.phone, _text(message.at))
        if not self._db.execute("INSERT OR IGNORE INTO opt_outs VALUES (?, ?)", row).rowcount:
            return False
        drop = "UPDATE replies SET state = 'dropped' WHERE phone = ? AND state = 'waiting'"
        self._db.execute(drop, (message.phone,))
        return True

    def _is_own_line(self, phone: str) -> bool:
        return self._exists("SELECT 1 FROM our_lines WHERE line = ?", phone)

    def _is_opted_out(self, phone: str) -> bool:
        return self._exists("SELECT 1 FROM opt_outs WHERE phone = ?", phone)

    def _is_recorded(self, message: Message) -> bool:
        return self._exists("SELECT 1 FROM replies WHERE message_id = ?", message.id)

    def _is_over_limit(self, message: Message, rules: Rules) -> bool:
        """Return whether the number has had all its replies of the last hour.

        Without a limit, two machines would answer each other for ever.
        """
        recent = "SELECT 1 FROM replies WHERE phone = ? AND at > ? AND state != 'silent' LIMIT 1 OFFSET ?"
        hour_ago = _text(message.at - timedelta(hours=1))
        return self._exists(recent, message.phone, hour_ago, rules.most_an_hour - 1)

    def _exists(self, query: str, *values: Any) -> bool:
        return self._db.execute(query, values).fetchone() is not None

    def next_waiting(self, after: int) -> Reply | None:
        """Return the first waiting reply with a number above `after`; `None` if there is none."""
        row = self._db.execute(
            "SELECT number, message_id, phone, line, text, at FROM replies "
            "WHERE state = 'waiting' AND number > ? ORDER BY number LIMIT 1",
            (after,),
        ).fetchone()
        if row is None:
            return None
        number, message_id, phone, line, text, at = row
        return Reply(number, message_id, phone, line, text, datetime.fromisoformat(at))

    def set_state(self, reply: Reply, state: str) -> None:
        with self._db:
            self._db.execute("UPDATE replies SET state = ? WHERE number = ?", (state, reply.number))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
