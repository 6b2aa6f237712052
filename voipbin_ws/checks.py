"""System checks of addresses, secrets, shared services and the start command."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Sequence
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings
from django.core import checks

from subscriptions.checks import warn_unless

logger = logging.getLogger(__name__)

EXAMPLE_SECRETS = (
    "a long random text",
    "the-key-before",
    "the-one-before-that",
    "a-new-key-of-at-least-32-characters",
    "the-old-key-of-at-least-32-characters",
    "the-key-that-VoIPBIN-signs-with",
    "the secret set in VoIPBIN",
    "a-token-that-prometheus-shows",
)
"""The secrets in docs/settings.md, which are public."""

SERVER_PROGRAMS = ("daphne", "uvicorn", "gunicorn", "hypercorn")


@checks.register(checks.Tags.security)
def secrets_are_not_examples(**_: Any) -> list[checks.CheckMessage]:
    """Find secrets that were copied from the documentation."""
    secrets = {
        "SECRET_KEY": [settings.SECRET_KEY],
        "SECRET_KEY_FALLBACKS": settings.SECRET_KEY_FALLBACKS,
        "JWT_KEYS": settings.JWT_KEYS,
        "VOIPBIN_JWT_KEYS": settings.VOIPBIN_JWT_KEYS,
        "METRICS_TOKEN": [settings.METRICS_TOKEN],
        "VOIPBIN_WEBHOOK_SECRET": [settings.EVENTS_VOIPBIN_WEBHOOK_SECRET],
    }
    return [
        checks.Error(
            f"{name} is the example of the documentation, which everybody knows.",
            hint="Make one of your own: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="voipbin_ws.E001",
        )
        for name, values in secrets.items()
        if not set(values).isdisjoint(EXAMPLE_SECRETS)
    ]


@checks.register(checks.Tags.security, deploy=True)
def secret_key_is_set(**_: Any) -> list[checks.CheckMessage]:
    """Find a generated key, which exists in this checkout alone and in no backup."""
    return warn_unless(
        os.environ.get("SECRET_KEY", "").strip(),
        "SECRET_KEY is unset: the one in var/secret_key is used, which this checkout alone has.",
        hint="Set SECRET_KEY to the content of that file, so that tokens and sessions stay good.",
        id="voipbin_ws.W001",
    )


@checks.register(checks.Tags.security, deploy=True)
def public_url_is_set(**_: Any) -> list[checks.CheckMessage]:
    """Find a missing PUBLIC_URL; Django's own checks report each consequence."""
    return warn_unless(
        settings.PUBLIC_URL.startswith("https://"),
        "PUBLIC_URL is no https:// address: credentials and cookies go unencrypted.",
        hint="Let a proxy end TLS, and set PUBLIC_URL to the address that clients use.",
        id="voipbin_ws.W002",
    )


@checks.register(checks.Tags.security)
def proxy_is_trusted(**_: Any) -> list[checks.CheckMessage]:
    """Find a missing proxy: TLS is ended elsewhere, so only the proxy knows the clients."""
    return warn_unless(
        not settings.PUBLIC_URL.startswith("https://") or settings.TRUSTED_PROXIES,
        "PUBLIC_URL is https:// and TRUSTED_PROXIES is empty: pages lead to themselves for ever, "
        "and all clients seem to be one.",
        hint="Set TRUSTED_PROXIES to the address of the proxy that ends TLS, such as 127.0.0.1.",
        id="voipbin_ws.W003",
    )


@checks.register(checks.Tags.security)
def trusted_proxies_are_limited(**_: Any) -> list[checks.CheckMessage]:
    """Find a network of all addresses, with which X-Forwarded-For of any client is trusted."""
    return warn_unless(
        all(ip_network(network).prefixlen for network in settings.TRUSTED_PROXIES),
        "TRUSTED_PROXIES covers every address: any client can say that it is another.",
        hint="List the proxies alone.",
        id="voipbin_ws.W004",
    )


@checks.register(checks.Tags.security, deploy=True)
def hosts_are_listed(**_: Any) -> list[checks.CheckMessage]:
    """Find a wildcard in ALLOWED_HOSTS, with which links can name any host."""
    return warn_unless(
        "*" not in settings.ALLOWED_HOSTS,
        "ALLOWED_HOSTS is open to every name.",
        hint="Set PUBLIC_URL; its host needs no other entry.",
        id="voipbin_ws.W005",
    )


@checks.register(checks.Tags.compatibility)
def workers_share_a_layer(**_: Any) -> list[checks.CheckMessage]:
    """Find workers without a shared layer, which read each other's events from the log."""
    workers = _workers()
    return warn_unless(
        not _layer_is_in_memory() or workers < 2,
        f"{workers} workers have no common channel layer: events of one reach clients of another only every "
        f"CHECK_INTERVAL_SECONDS ({settings.CHECK_INTERVAL_SECONDS:g} s).",
        hint="Set REDIS_URL.",
        id="voipbin_ws.W006",
    )


@checks.register(checks.Tags.compatibility, deploy=True)
def layer_is_shared(**_: Any) -> list[checks.CheckMessage]:
    """Find an in-memory layer in production, where upgrades and commands are second processes."""
    return warn_unless(
        settings.DEBUG or not _layer_is_in_memory(),
        "The channel layer is in memory: this process receives what other processes publish only every "
        f"CHECK_INTERVAL_SECONDS ({settings.CHECK_INTERVAL_SECONDS:g} s).",
        hint="Set REDIS_URL. A single process without manage.py commands beside it can do without.",
        id="voipbin_ws.W007",
    )


@checks.register(checks.Tags.compatibility)
def start_command_is_supported(**_: Any) -> list[checks.CheckMessage]:
    """Find start commands that bypass `manage.py serve` and its settings of the servers."""
    command = [Path(sys.argv[0]).name, *sys.argv[1:]]
    is_safe_daphne = _has_option(command, "--websocket_timeout", "-1") and any(
        _has_option(command, option, "0") for option in ("-v", "--verbosity")
    )
    return [
        *warn_unless(
            command[0] != "daphne" or is_safe_daphne,
            "Started so, daphne ends every WebSocket after a day, and writes addresses with their credentials.",
            hint="Start manage.py serve --server daphne, or give daphne --websocket_timeout -1 -v 0.",
            id="voipbin_ws.W008",
        ),
        *warn_unless(
            command[0] not in SERVER_PROGRAMS[1:],
            f"Started by {command[0]}, clients are not notified to reconnect when the process stops, messages are "
            "compressed at the cost of memory for each client, and limits are not the gateway's own.",
            hint="Start manage.py serve --server uvicorn.",
            id="voipbin_ws.W009",
        ),
        *warn_unless(
            command[1:2] != ["runserver"],
            "runserver serves no WebSockets.",
            hint="Start manage.py serve.",
            id="voipbin_ws.W010",
        ),
    ]


def log_check_results() -> None:
    """Log the results of the checks if a server loaded the application by itself."""
    if Path(sys.argv[0]).name in SERVER_PROGRAMS:
        for found in checks.run_checks():
            logger.warning("%s: %s %s", found.id, found.msg, found.hint or "")


def _layer_is_in_memory() -> bool:
    return isinstance(get_channel_layer(), InMemoryChannelLayer)


def _workers() -> int:
    """Return the number of workers of the command line, or else of WEB_CONCURRENCY."""
    workers = os.environ.get("WEB_CONCURRENCY", "")
    for word, following in pairwise([*sys.argv, ""]):
        if found := re.fullmatch(r"(?:--workers|-w)(?:=(\d+))?", word):
            workers = found[1] or following
    return int(workers) if workers.isdecimal() else 1


def _has_option(command: Sequence[str], option: str, value: str) -> bool:
    return f"{option}={value}" in command or (option, value) in pairwise(command)
