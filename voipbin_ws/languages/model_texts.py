"""The texts of the models, which the admin shows: names, choices and explanations.

They are translated here and not in the models, where each field without a name would need one, and a migration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.utils.translation import gettext_lazy as translated

APPS = ("events", "subscriptions")


def translate_models() -> None:
    """Let the models give their texts in the language of the reader."""
    for model in _models():
        model._meta.verbose_name = translated(model._meta.verbose_name)
        model._meta.verbose_name_plural = translated(model._meta.verbose_name_plural)
        for field in model._meta.concrete_fields:
            field.verbose_name = translated(field.verbose_name)
            if field.help_text:
                field.help_text = translated(field.help_text)
            if field.choices:
                field.choices = [(value, translated(str(label))) for value, label in field.choices]


def texts_of_models() -> Iterator[str]:
    """Yield the texts of the models that the admin shows."""
    for model in _models():
        if not admin.site.is_registered(model):
            continue
        yield from (str(model._meta.verbose_name), str(model._meta.verbose_name_plural))
        for field in model._meta.concrete_fields:
            yield str(field.verbose_name)
            if field.help_text:
                yield str(field.help_text)
            yield from (str(label) for _, label in field.choices or ())


def _models() -> Iterator[Any]:
    for app in APPS:
        yield from apps.get_app_config(app).get_models()
