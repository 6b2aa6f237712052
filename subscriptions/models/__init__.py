"""The tables of the subscriptions app."""

from subscriptions.models.tenants import *  # noqa: F403
