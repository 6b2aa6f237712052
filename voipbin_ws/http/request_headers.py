"""Headers of requests that Django does not see, and the check of Host as Django's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by their names in lower case; values of repeated headers are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def host_is_allowed(headers: Mapping[str, str]) -> bool:
    """Return whether ALLOWED_HOSTS has the host of a request."""
    return _is_allowed(headers.get("host", ""), tuple(settings.ALLOWED_HOSTS))


@lru_cache(maxsize=64)
def _is_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    return validate_host(split_domain_port(host)[0], allowed)
