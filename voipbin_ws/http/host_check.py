"""The check of a request's Host against ALLOWED_HOSTS."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

from voipbin_ws.http.request_log import PROBES


class HostCheck(CommonMiddleware):
    """Django's check of all requests except probes.

    Load balancers and Prometheus send the IP address of a process or the name of a pod. The responses to them contain
    no link, so a false Host gains nothing.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path in PROBES else super().process_request(request)
