"""Origins of web pages, in the form in which browsers send them (RFC 6454, section 6).

Sans-I/O.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv6Address
from urllib.parse import urlsplit

import idna

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST = re.compile(r"[a-z0-9._-]+")
_NETLOC = re.compile(r"(\[[^\]]*\]|[^@:\[\]]+)(:\d+)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
EVERY = "*"


def normalise(origin: str) -> str:
    """Return the origin as browsers send it.

    That is in lower case, without a default port, and with international names encoded.

    Raises:
        ValueError: no page has this origin, such as one with a path or a wildcard.
    """
    scheme, _, rest = origin.partition("://")
    scheme = scheme.lower()
    parts = urlsplit(f"//{rest}")
    host = parts.hostname
    if not _SCHEME.fullmatch(scheme) or not host or parts.netloc != rest or not _NETLOC.fullmatch(rest):
        raise ValueError(f"{origin} is no origin: scheme and host without a path")
    if ":" in host:
        host = f"[{IPv6Address(host).compressed}]"
    elif not host.isascii():
        host = idna.encode(host, uts46=True).decode()
    if not host.startswith("[") and not _HOST.fullmatch(host):
        raise ValueError(f"{origin} is the origin of no page: list each site, without wildcards")
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(scheme)) else f":{parts.port}"
    return f"{scheme}://{host}{port}"


def is_allowed(origin: str, host: str, listed: Collection[str]) -> bool:
    """Return whether pages of this origin may use the gateway.

    Args:
        origin: the header; "" for programs, which send none.
        host: the header, by which the pages of the gateway itself are recognised.
        listed: normalised origins, or `EVERY`.
    """
    if not origin or EVERY in listed:
        return True
    try:
        given = normalise(origin)
        # A page in a sandbox sends `null`, which has no scheme.
        return given in listed or given == normalise(f"{given.partition('://')[0]}://{host}")
    except ValueError:
        return False
