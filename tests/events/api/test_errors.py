"""Error codes, which are exactly those that the product uses, and the advice of an error."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from django.db import OperationalError
from django.test import RequestFactory
from rest_framework import status
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, NotFound, PermissionDenied

from events.api.errors import ERROR_CODES, ApiError, exception_handler
from tests.support.processes import ROOT


def default_code(status_code: int) -> str:
    return str(ApiError(status_code, "").content["code"])


def codes_of_calls() -> Iterator[str]:
    """Yield the code of each error that the product raises: `code=`, or the default of its status."""
    for app in ("events", "subscriptions", "voipbin_ws"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                [given] = [each.value for each in node.keywords if each.arg == "code"] or [None]
                if isinstance(given, ast.Constant) and re.fullmatch(r"[A-Z_]+", str(given.value)):
                    yield str(given.value)
                elif given is None and getattr(node.func, "id", "") == "ApiError":
                    yield default_code(getattr(status, ast.unparse(node.args[0]).removeprefix("status.")))


def test_the_codes_are_those_that_the_product_uses() -> None:
    of_rest_framework = {
        default_code(error.status_code)
        for error in (NotAuthenticated, PermissionDenied, NotFound, MethodNotAllowed)
    }
    assert {"INTERNAL_ERROR", *of_rest_framework, *codes_of_calls()} == ERROR_CODES.keys()


def test_the_default_codes_of_statuses_stay() -> None:
    defaults = {
        400: "INVALID_REQUEST",
        401: "UNAUTHORIZED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        405: "METHOD_NOT_ALLOWED",
        409: "IDEMPOTENCY_CONFLICT",
        410: "NOT_KEPT",
        413: "TOO_LARGE",
        415: "UNSUPPORTED_MEDIA_TYPE",
        429: "RATE_LIMITED",
        503: "UNAVAILABLE",
        507: "STORAGE_FULL",
    }
    for status_code, code in defaults.items():
        assert default_code(status_code) == code


@pytest.mark.parametrize(("method", "names_the_key"), [("GET", False), ("HEAD", False), ("POST", True)])
def test_only_what_stores_is_repeated_with_its_key(method: str, names_the_key: bool) -> None:
    request = RequestFactory().generic(method, "/v1.0/events")
    answer = exception_handler(OperationalError("away"), {"request": request})
    assert answer is not None
    assert (answer.status_code, "idempotency_key" in answer.data["message"]) == (503, names_the_key)
