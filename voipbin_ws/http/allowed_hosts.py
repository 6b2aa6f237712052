"""The check of the Host header, as Django's, for requests that Django does not see."""

from __future__ import annotations

from django.conf import settings
from django.http.request import split_domain_port, validate_host


def host_is_allowed(host: str) -> bool:
    """Return whether ALLOWED_HOSTS has this value of the Host header."""
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
