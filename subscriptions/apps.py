"""The subscriptions app."""

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    verbose_name = "Customers and subscriptions"

    def ready(self) -> None:
        from subscriptions import access_changes, checks, logins  # noqa: F401 - checks register themselves

        logins.connect()
        access_changes.connect()
