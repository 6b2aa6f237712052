"""Errors outside views: a method that an address does not support, and a form without its token."""

from __future__ import annotations

import pytest
from django.test import Client

PROGRAMS = ["/healthz", "/readyz", "/metrics", "/v1.0/openapi.json"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "QUERY"])
@pytest.mark.parametrize("path", PROGRAMS)
def test_a_program_is_answered_with_405(path: str, method: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "QUERY"])
def test_a_request_that_no_form_sends_is_answered_with_405(method: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, "/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
    assert "This address does not support the method" in answer.content.decode()


def test_a_form_without_its_token_is_answered_with_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/")
    assert answer.status_code == 403
    assert "load the page anew" in answer.content.decode()
