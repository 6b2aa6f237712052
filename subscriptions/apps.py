"""The subscriptions app."""

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    verbose_name = "Customers and subscriptions"

    def ready(self) -> None:
        from subscriptions import checks, logins, renewal  # noqa: F401 - checks register themselves

        logins.connect()
        renewal.connect()
