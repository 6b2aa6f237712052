"""Forms that set a password, which is hashed before the transaction of the form.

A hash takes half a second, for which the transaction would keep others waiting.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables


class PasswordSettingForm:
    """A form with a new password; `password_hash` is `None` if the field is empty."""

    password_hash: str | None = None

    @sensitive_variables("password")
    def set_password(self, user: Any, password: str) -> None:
        """Set the password as `User.set_password` does, with the hash that was made before."""
        assert self.password_hash is not None  # noqa: S101 - made from the same field
        user.password = self.password_hash
        # The validators learn the new password when it is saved.
        user._password = password


class PasswordSettingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages whose form is a PasswordSettingForm."""

    password_field = "password"  # noqa: S105 - the name of a field

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._hash(request)
        return super().add_view(request, *args, **kwargs)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._hash(request)
        return super().change_view(request, *args, **kwargs)

    @sensitive_variables("password")
    def _hash(self, request: HttpRequest) -> None:
        if password := request.POST.get(self.password_field):
            request._password_hash = make_password(password)  # type: ignore[attr-defined]

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, *args, **kwargs)
        form.password_hash = getattr(request, "_password_hash", None)
        return form


class NewUserForm(PasswordSettingForm, AdminUserCreationForm):  # type: ignore[type-arg]
    """Django's form of a new user."""

    def set_password_and_save(self, user: Any, commit: bool = True, **kwargs: Any) -> Any:
        if not self.cleaned_data["set_usable_password"]:
            return super().set_password_and_save(user, commit=commit, **kwargs)
        self.set_password(user, self.cleaned_data["password1"])
        if commit:
            user.save()
        return user


admin.site.unregister(get_user_model())


@admin.register(get_user_model())
class OperatorAdmin(PasswordSettingAdmin, UserAdmin):  # type: ignore[type-arg]
    """Django's pages of users, which are all logins."""

    add_form = NewUserForm
    password_field = "password1"  # noqa: S105 - the name of a field
