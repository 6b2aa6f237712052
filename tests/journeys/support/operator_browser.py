"""An operator's browser at one gateway: logs in to the admin, opens its pages and finds the links on them."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

import httpx

from tests.journeys.support.cast import Company
from tests.support.gateway import Gateway, manage

PASSWORD = "correct horse 1"
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]*)"')
_ADMINS = """
from django.contrib.auth.models import User
User.objects.filter(agent={agent_id!r}).update(is_staff=True)
"""


class OperatorBrowser:
    """A browser whose operator is logged in. Follows no redirect."""

    def __init__(self, gateway: Gateway, username: str) -> None:
        self.client = httpx.Client(base_url=gateway.url, timeout=30)
        self.client.get("/admin/login/")
        answer = self.post("/admin/login/?next=/admin/", {"username": username, "password": PASSWORD})
        assert answer.status_code == 302, answer.text

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.client.get(path, params=query or None)

    def post(self, path: str, data: dict[str, str]) -> httpx.Response:
        token = self.client.cookies["csrftoken"]
        return self.client.post(path, data=data | {"csrfmiddlewaretoken": token})

    def links(self, path: str) -> set[str]:
        """The admin's addresses that the page at this one links with."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        found = {urljoin(path, unescape(link)) for link in _LINK.findall(answer.text)}
        return {link.partition("#")[0] for link in found if link.startswith("/admin/")}


def superuser(gateway: Gateway) -> OperatorBrowser:
    """The one who sees every customer."""
    environment = {**gateway.environment, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    manage(environment, "createsuperuser", "--noinput", "--username", "root", "--email", "")
    return OperatorBrowser(gateway, "root")


def admin_of(gateway: Gateway, company: Company) -> OperatorBrowser:
    """The admin of a settled customer, whose person "admin" has the password of the operators here."""
    admin = company.person("admin")
    assert admin.password == PASSWORD
    gateway.manage("shell", "--verbosity", "0", "--command", _ADMINS.format(agent_id=admin.id))
    return OperatorBrowser(gateway, admin.name)
