"""Ending the access of an agent: signing it out everywhere, and removing its user with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete

from subscriptions.models import Agent


def sign_out(agent: Agent, now: datetime) -> None:
    """Refuse the agent's tokens that were issued before `now`, and end its admin sessions.

    Its access keys stay valid: they are credentials of programs.
    """
    agent.tokens_valid_from = now
    agent.save(update_fields=["tokens_valid_from"])
    end_sessions(agent.user_id, now)


def end_sessions(user_id: int, now: datetime) -> None:
    """End the user's sessions in the admin."""
    # A session is stored as signed text, so that the database cannot select by user.
    session_keys = [
        session.pk
        for session in Session.objects.filter(expire_date__gt=now).iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user_id)
    ]
    Session.objects.filter(pk__in=session_keys).delete()


def end_login(sender: type[Agent], instance: Agent, **kwargs: Any) -> None:  # noqa: ARG001 (Django names them)
    """Delete the user of a deleted agent, or deactivate it if it has an admin history."""
    users = get_user_model().objects.filter(pk=instance.user_id, is_superuser=False)
    if LogEntry.objects.filter(user_id=instance.user_id).exists():
        # No signal: deleting the agent bumps the access version already.
        users.update(is_active=False, is_staff=False)
    else:
        users.delete()


def connect() -> None:
    """End the user of every deleted agent, also if the agent is deleted with its customer."""
    post_delete.connect(end_login, sender=Agent, dispatch_uid="subscriptions.auth.logout.end_login")
