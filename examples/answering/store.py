"""What is kept over restarts, in SQLite: how far was heard, who wants no messages, what was or is to be answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from examples.answering.messages import Message
from examples.answering.rules import Rules
from examples.answering.trouble import Unusable

REMEMBERED = timedelta(days=90)
"""How long it is known which messages were answered: far longer than any may be answered late."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is to be sent, and when the message came that it answers."""

    number: int
    message_id: str
    to: str
    line: str
    text: str
    at: datetime


class Store:
    """The SQLite file: how far was heard, who wants no messages, and what was or is to be answered."""

    def __init__(self, path: Path, customer_id: str, now: datetime) -> None:
        self._db = sqlite3.connect(path, timeout=5)
        # A crash of the machine may lose the last transactions: cursor and replies together, and they are made again.
        self._db.executescript(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS progress (customer_id TEXT, begun_at TEXT, cursor TEXT);
            CREATE TABLE IF NOT EXISTS our_lines (line TEXT PRIMARY KEY);
            CREATE TABLE IF NOT EXISTS opt_outs (phone TEXT PRIMARY KEY, since TEXT);
            CREATE TABLE IF NOT EXISTS replies (
                number INTEGER PRIMARY KEY, message_id TEXT UNIQUE, phone TEXT, line TEXT, text TEXT, at TEXT,
                state TEXT  -- waiting, sent, refused, dropped, or silent where there was nothing to say
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
        known, begun_at, self.cursor = self._db.execute("SELECT * FROM progress").fetchone()
        self.begun_at = datetime.fromisoformat(begun_at)
        if known != customer_id:
            raise Unusable(f"{path} is of another customer, {known}: name another file with --database")

    def close(self) -> None:
        self._db.close()

    def take(
        self, messages: Iterable[Message], rules: Rules, cursor: str | None, *, since: datetime | None = None
    ) -> None:
        """Decide on these messages and move the cursor, both or neither; what is older than `since` gets no reply."""
        with self._db:
            for message in messages:
                self._decide(message, rules, is_late=since is not None and message.at < since)
            if cursor is not None:
                self._db.execute("UPDATE progress SET cursor = ?", (cursor,))
        self.cursor = cursor or self.cursor

    def _decide(self, message: Message, rules: Rules, *, is_late: bool) -> None:
        if message.line:
            self._db.execute("INSERT OR IGNORE INTO our_lines VALUES (?)", (message.line,))
        if not message.received or not message.other or self._is_ours(message.other):
            return
        wish = rules.parse_keyword(message.text)
        reply = None if message.automatic else rules.reply_to(message.text)
        if (wish is None and reply is None) or self._knows(message):
            return
        if wish is not None:
            reply = wish.reply if self._changes(message, wants_none=wish is rules.stop) else None
        elif self._is_opted_out(message.other) or self._had_enough(message, rules):
            reply = None
        self._db.execute(
            "INSERT INTO replies (message_id, phone, line, text, at, state) VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(message.id, message.other, message.line, reply or "", _text(message.at)),
                "silent" if reply is None or is_late else "waiting",
            ),
        )

    def _changes(self, message: Message, *, wants_none: bool) -> bool:
        """Heed STOP or START; whether that was news."""
        if not wants_none:
            return self._db.execute("DELETE FROM opt_outs WHERE phone = ?", (message.other,)).rowcount > 0
        row = (message.other, _text(message.at))
        if not self._db.execute("INSERT OR IGNORE INTO opt_outs VALUES (?, ?)", row).rowcount:
            return False
        drop = "UPDATE replies SET state = 'dropped' WHERE phone = ? AND state = 'waiting'"
        self._db.execute(drop, (message.other,))
        return True

    def _is_ours(self, phone: str) -> bool:
        return self._has("SELECT 1 FROM our_lines WHERE line = ?", phone)

    def _is_opted_out(self, phone: str) -> bool:
        return self._has("SELECT 1 FROM opt_outs WHERE phone = ?", phone)

    def _knows(self, message: Message) -> bool:
        return self._has("SELECT 1 FROM replies WHERE message_id = ?", message.id)

    def _had_enough(self, message: Message, rules: Rules) -> bool:
        """Two machines that answer each other would not end."""
        recent = "SELECT 1 FROM replies WHERE phone = ? AND at > ? AND state != 'silent' LIMIT 1 OFFSET ?"
        hour_ago = _text(message.at - timedelta(hours=1))
        return self._has(recent, message.other, hour_ago, rules.most_an_hour - 1)

    def _has(self, query: str, *values: Any) -> bool:
        return self._db.execute(query, values).fetchone() is not None

    def next_waiting(self, after: int) -> Reply | None:
        """The first reply to be sent after the one with this number."""
        row = self._db.execute(
            "SELECT number, message_id, phone, line, text, at FROM replies "
            "WHERE state = 'waiting' AND number > ? ORDER BY number LIMIT 1",
            (after,),
        ).fetchone()
        if row is None:
            return None
        number, message_id, phone, line, text, at = row
        return Reply(number, message_id, phone, line, text, datetime.fromisoformat(at))

    def settle(self, reply: Reply, state: str) -> None:
        with self._db:
            self._db.execute("UPDATE replies SET state = ? WHERE number = ?", (state, reply.number))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
