"""System checks of the allowed origins and of the keys that tokens are signed with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

KEY_MIN_CHARACTERS = 32
"""RFC 7518, section 3.2: a key of HS256 has at least as many bits as the hash."""


@checks.register(checks.Tags.security, deploy=True)
def origins_are_closed(**_: Any) -> list[checks.CheckMessage]:
    """Warn if pages of any site may connect, with credentials that people entered there."""
    return warn_unless(
        "*" not in settings.WEBSOCKET_ORIGINS,
        "WEBSOCKET_ORIGINS is open to pages of every site.",
        hint="List the sites whose pages may connect. Programs send no Origin and need no entry.",
        id="subscriptions.W001",
    )


@checks.register(checks.Tags.security, deploy=True)
def origins_are_encrypted(**_: Any) -> list[checks.CheckMessage]:
    """Warn if pages over plain HTTP may connect: an attacker can replace such a page."""
    plain = ", ".join(origin for origin in settings.WEBSOCKET_ORIGINS if origin.startswith("http://"))
    message = f"WEBSOCKET_ORIGINS lists pages that come unencrypted: {plain}."
    hint = "Let them be served over https:// and listed so."
    return warn_unless(not plain, message, hint=hint, id="subscriptions.W002")


@checks.register(checks.Tags.security)
def platform_keys_are_long(**_: Any) -> list[checks.CheckMessage]:
    """Warn if a key of VoIPBIN is short; short keys of our own are refused elsewhere."""
    short = sum(len(key.encode()) < KEY_MIN_CHARACTERS for key in settings.VOIPBIN_JWT_KEYS)
    message = f"{short} of VOIPBIN_JWT_KEYS can be guessed from any token: fewer than {KEY_MIN_CHARACTERS} characters."
    hint = "Set a longer key in VoIPBIN and here. An attacker who guesses it can act as any agent of any customer."
    return warn_unless(not short, message, hint=hint, id="subscriptions.W003")


def warn_unless(is_correct: object, message: str, hint: str, id: str) -> list[checks.CheckMessage]:  # noqa: A002
    """Return a warning with this id, or nothing if the setting is correct."""
    return [] if is_correct else [checks.Warning(message, hint=hint, id=id)]
