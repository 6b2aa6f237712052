"""The pages for people. They hold no data: a script in them signs in and hears what its credential may hear."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The live calls, for a supervisor."""
    return _page(request, "dashboard.html", "Live calls")


@require_safe
def agent_desktop(request: HttpRequest) -> HttpResponse:
    """Calls and messages, for an agent at work."""
    return _page(request, "agent.html", "Agent desktop")


def _page(request: HttpRequest, template: str, title: str) -> HttpResponse:
    response = render(request, template, {"title": title})
    # The files that it names change with it.
    response["Cache-Control"] = "no-cache"
    return response
