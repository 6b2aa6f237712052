"""The admin's forms with the present password, with the limit on failed logins."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from subscriptions.accounts.changes import client_info_of
from subscriptions.accounts.logins import login_attempt
from subscriptions.accounts.passwords import WrongPassword, check_present_password
from subscriptions.auth.password_hashing import TooManyLogins


class AdminLoginForm(AdminAuthenticationForm):
    """Django's form. `retry_after` is the wait in seconds, `None` if the login was checked."""

    retry_after: int | None = None
    error_messages = {
        "invalid_login": gettext_lazy(
            "The user name or password is wrong, or this person may not use Operation. Upper and lower case matter."
        ),
        "inactive": gettext_lazy("This account is switched off."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = gettext_lazy("User name")

    def clean(self) -> dict[str, Any]:
        assert self.request is not None  # noqa: S101 - the admin gives it
        username = self.cleaned_data.get("username")
        if username is None or self.cleaned_data.get("password") is None:
            return super().clean()
        try:
            with login_attempt(username, client_info_of(self.request), "admin") as attempt:
                cleaned = super().clean()
                attempt.user = self.get_user()
                return cleaned
        except TooManyLogins as refused:
            self.retry_after = refused.wait_seconds
            raise ValidationError(refused.words, code="too_many_tries") from None


class OwnPasswordForm(AdminPasswordChangeForm):
    """Django's form; too many wrong passwords are answered 429."""

    def clean_old_password(self) -> str:
        present: str = self.cleaned_data["old_password"]
        try:
            check_present_password(self.user, present)
        except WrongPassword:
            raise ValidationError(
                self.error_messages["password_incorrect"], code="password_incorrect"
            ) from None
        return present
