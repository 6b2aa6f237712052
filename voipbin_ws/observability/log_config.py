"""Format of all log lines: readable or JSON, with the ids of their request or connection.

All loggers of the process use it: the gateway's, Django's, daphne's and uvicorn's. Credentials are removed from every
line, and telephone numbers are masked in it.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

from events.masks.number_mask import mask_text
from events.redaction import redact_secrets
from subscriptions.presence.process_status import troubles

APPS = ("voipbin_ws", "events", "subscriptions")

_PLAIN_LEVELS = frozenset({"debug", "info"})
_NEEDS_QUOTES = re.compile(r"[\s=\"']")


def logging_configuration(level: str, form: str) -> dict[str, Any]:
    """Return Django's LOGGING: lines from `level` on, to standard error, `readable` or `json`."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED_PROCESSORS,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": _LineFormatter,
        "foreign_pre_chain": _SHARED_PROCESSORS,
        "processors": [ProcessorFormatter.remove_processors_meta, *_RENDERERS[form], _redact],
    }
    both = ["stderr", "troubles"]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
            "troubles": {"()": _TroublesHandler, "level": "WARNING"},
        },
        "root": {"handlers": both, "level": "WARNING"},
        "loggers": {name: {"level": level, "handlers": both, "propagate": False} for name in APPS}
        # The servers' lines of each request contain its query; the gateway's own have none.
        | {name: {"level": "WARNING"} for name in ("daphne", "uvicorn", "uvicorn.access", "uvicorn.error")}
        # Django brings a handler of its own.
        | {"django": {"level": "WARNING", "handlers": []}}
        # Errors of a client are in the response to that client.
        | {"django.request": {"level": "ERROR"}, "django.security.DisallowedHost": {"level": "CRITICAL"}},
    }


class _LineFormatter(ProcessorFormatter):
    """structlog's formatter without its copy of each record, for records are formatted once."""

    def format(self, record: logging.LogRecord) -> str:
        if not isinstance(record.msg, dict):
            return super().format(record)
        line: Any = {**record.msg, "_record": record, "_from_structlog": True}
        for process in self.processors:
            line = process(None, record.levelname.lower(), line)
        return str(line)


def _readable(_logger: object, _level: str, fields: dict[str, Any]) -> str:
    """Return a readable line.

    structlog's own renderer costs half as much again as all else that a request's line takes.
    """
    first = f"{fields.pop('timestamp', '')} [{fields.pop('level', ''):<9}] {_text(fields.pop('event', ''))}"
    first += f" [{fields.pop('logger', '')}]"
    traces = [fields.pop(name) for name in ("stack", "exception") if name in fields]
    line = " ".join([first, *(f"{name}={_value(value)}" for name, value in sorted(fields.items()))])
    return "\n".join([line, *traces])


def _text(value: object) -> str:
    """Return the value on one line: a line break in an address must not forge a log line."""
    text = str(value)
    return text if text.isprintable() else _escaped(text)


def _value(value: object) -> str:
    text = _text(value)
    return repr(text) if isinstance(value, str) and _NEEDS_QUOTES.search(text) else text


def _escaped(text: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


class _TroublesHandler(logging.Handler):
    """Keeps warnings and errors for the admin's front page."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("django.security"):
            return  # An error of the client.
        try:
            words = record.msg["event"] if isinstance(record.msg, dict) else record.getMessage()
            if record.exc_info and record.exc_info[0] is not None:
                words = f"{words} ({record.exc_info[0].__name__}: {record.exc_info[1]})"
            words = _escaped(mask_text(redact_secrets(str(words))))
            troubles.note(record.created, record.levelname, f"{record.name}: {words}")
        except Exception:
            self.handleError(record)


def _redact(_logger: object, level: str, line: str) -> str:
    line = redact_secrets(line)
    # Errors of the database and of programs repeat what was in an event; the lines of requests are masked already.
    return line if level in _PLAIN_LEVELS else mask_text(line)


_SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_RENDERERS: dict[str, list[Any]] = {
    "json": [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    ],
    "readable": [structlog.processors.format_exc_info, _readable],
}
