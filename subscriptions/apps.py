"""The configuration of the subscriptions app."""

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    verbose_name = "Customers and access"

    def ready(self) -> None:
        from subscriptions import checks  # noqa: F401 - checks register themselves
        from subscriptions.accounts import passwords
        from subscriptions.auth import access_version
        from subscriptions.auth import logout as logins

        logins.connect()
        access_version.connect()
        passwords.connect()
