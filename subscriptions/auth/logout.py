"""The logins of agents: signing one out everywhere, and what becomes of a login without its agent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete

from subscriptions.models import Agent


def sign_out(agent: Agent, now: datetime) -> None:
    """Refuse the agent's tokens that were issued before `now`, and end its sessions in the admin.

    Its access keys go on: they are credentials of programs.
    """
    agent.tokens_valid_from = now
    agent.save(update_fields=["tokens_valid_from"])
    end_sessions(agent.user_id, now)


def end_sessions(user_id: int, now: datetime) -> None:
    """End the sessions in which this user is logged in to the pages of the admin."""
    # A session's content is signed text: there is no asking the database for whose it is.
    session_keys = [
        session.pk
        for session in Session.objects.filter(expire_date__gt=now).iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user_id)
    ]
    Session.objects.filter(pk__in=session_keys).delete()


def end_login(sender: type[Agent], instance: Agent, **kwargs: Any) -> None:  # noqa: ARG001 (Django names them)
    """The agent is deleted, and its login with it. A login with a history in the admin is kept and closed."""
    users = get_user_model().objects.filter(pk=instance.user_id, is_superuser=False)
    if LogEntry.objects.filter(user_id=instance.user_id).exists():
        users.update(is_active=False, is_staff=False)  # Its agent's end is what open sockets hear of.
    else:
        users.delete()


def connect() -> None:
    """Have logins end with their agents, however those are deleted: with their customer, too."""
    post_delete.connect(end_login, sender=Agent, dispatch_uid="subscriptions.auth.logout.end_login")
