"""Operators on the admin's pages, without a server."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from subscriptions.models import Agent, Customer
from tests.subscriptions.support.people import agent

_SECRET = re.compile(r"vb_[A-Za-z0-9]{32}")
_FIELD = re.compile(r"<input[^>]*>")


@dataclass
class Page:
    """A response of the admin."""

    status: int
    text: str
    response: Any
    errors: list[str] = field(default_factory=list)

    @property
    def was_saved(self) -> bool:
        """Whether a form was accepted: a redirect, or what is shown once; else it is shown with its errors."""
        return self.status == 302 or 'class="once"' in self.text

    def hidden(self, name: str) -> str:
        """The value of a hidden input."""
        for tag in _FIELD.findall(self.text):
            if f'name="{name}"' in tag:
                return unescape(re.search(r'value="([^"]*)"', tag)[1])  # type: ignore[index]
        raise AssertionError(f"there is no input {name}")

    @property
    def secrets(self) -> set[str]:
        """The access keys that are shown completely."""
        return set(_SECRET.findall(self.text))

    @property
    def secret(self) -> str:
        """The one access key that is shown completely."""
        [secret] = self.secrets
        return secret

    @property
    def rows(self) -> int:
        """The number of rows of a list."""
        return len(self.response.context["cl"].result_list)

    @property
    def messages(self) -> list[str]:
        """The messages at the top of the page."""
        return [str(message) for message in self.response.context["messages"]]


class AdminClient:
    """One operator's browser."""

    def __init__(self, user: User | None) -> None:
        self.client = Client()
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str, **query: str) -> Page:
        return _page(self.client.get(path, query))

    def post(self, path: str, data: dict[str, Any], *, follow: bool = False) -> Page:
        return _page(self.client.post(path, data, follow=follow))

    def list(self, model: type[Model], **query: str) -> Page:
        return self.get(address(model, "changelist"), **query)

    def open(self, row: Model) -> Page:
        return self.get(address(row, "change"))

    def act(self, action: str, rows: Iterable[Model], *, confirmed: bool = True) -> Page:
        """Choose an action for some rows, and confirm it."""
        rows = list(rows)
        data = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
        if confirmed:
            data["confirmed"] = "yes"
        return self.post(address(type(rows[0]), "changelist"), data, follow=True)


def address(thing: Model | type[Model], page: str) -> str:
    """The URL of a page of a model, or of a row."""
    opts = thing._meta
    arguments = [thing.pk] if isinstance(thing, Model) else []
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=arguments)


def superuser() -> AdminClient:
    return AdminClient(User.objects.create_superuser("root"))


def admin_of(customer: Customer, **fields: Any) -> tuple[AdminClient, Agent]:
    """A logged-in admin of a customer."""
    person = agent(customer, role=fields.pop("role", "admin"), **fields)
    User.objects.filter(pk=person.user_id).update(is_staff=True)
    person.user.refresh_from_db()
    return AdminClient(person.user), person


def _page(response: Any) -> Page:
    text = response.content.decode()
    errors: list[str] = []
    context = response.context
    form = context.get("adminform") if context else None
    if form is not None:
        errors = [str(error) for each in form.form.errors.values() for error in each]
    return Page(response.status_code, text, response, errors)
