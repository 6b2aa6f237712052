"""The language of a response: the one that a person chose or the browser prefers."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from voipbin_ws.http.error_pages import FOR_PROGRAMS

ENGLISH = "en"
"""The language of the texts in the code, and of all that programs receive."""


def answer_in_language(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., object]:
    """Answer people in their language, and programs in English. Middleware of Django.

    Django's LocaleMiddleware would translate the messages of the API too, and leave its language to the thread.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(FOR_PROGRAMS):
            with translation.override(ENGLISH):
                return get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            response = get_response(request)
            response.headers.setdefault("Content-Language", str(translation.get_language()))
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response

    return respond
