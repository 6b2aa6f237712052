"""The pages for people and screens; their scripts sign in and load all data."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Serve the dashboard: the live calls, for a supervisor."""
    return page(request, "dashboard.html", title=gettext("Live calls"))


@require_safe
def agent_desktop(request: HttpRequest) -> HttpResponse:
    """Serve the agent desktop: calls and messages, for an agent."""
    return page(request, "agent.html", title=gettext("Agent desktop"))


@require_safe
def wallboard(request: HttpRequest) -> HttpResponse:
    """Serve the wallboard of a link; the key is in the fragment, which stays in the browser."""
    return page(request, "wallboard.html", title=gettext("Wallboard"))


@require_safe
def invitation(request: HttpRequest) -> HttpResponse:
    """Serve the page of an invitation; the browser keeps its secret, in the fragment."""
    return page(request, "invitation.html", title=gettext("Invitation"))


def page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Return the rendered template as a response that browsers revalidate."""
    response = render(request, template, context)
    # The files that it names change with it.
    response["Cache-Control"] = "no-cache"
    return response
