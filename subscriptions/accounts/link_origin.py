"""The origin of links that people pass on: invitations, wallboards, examples with a key."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def link_origin(request: HttpRequest) -> str:
    """Return the gateway's address with a slash at its end.

    That is PUBLIC_URL: the Host header of a request is what its client wrote. Without PUBLIC_URL it is all there is.
    """
    return f"{settings.PUBLIC_URL}/" if settings.PUBLIC_URL else request.build_absolute_uri("/")
