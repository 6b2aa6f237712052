"""Where a request carries its credential: in the query or the Authorization header, once."""

from __future__ import annotations

import base64
import logging

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory

from subscriptions.auth.authentication import (
    CredentialAuthentication,
    credential_in,
    identify,
    identify_request,
)
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.tokens import issue_token
from tests.subscriptions.support.credentials import refused
from tests.subscriptions.support.people import access_key, agent, customer


@pytest.mark.parametrize(
    ("query", "authorization", "found"),
    [
        ("token=abc", "", "abc"),
        ("accesskey=abc", "", "abc"),
        ("batch=true&token=a.b.c&x=1", "", "a.b.c"),
        ("", "Bearer abc", "abc"),
        ("", "bearer   abc ", "abc"),
        ("", "BEARER abc", "abc"),
        ("token=vb%5Fabc", "", "vb_abc"),
        ("token=abc", "Basic something of a proxy's", "abc"),
        ("", "", ""),
        ("token=", "", ""),
        ("token=&accesskey=", "Bearer abc", "abc"),
        ("accesskey=&token=abc", "", "abc"),
        ("token=abc%0A", "", "abc"),
        ("", "Bearer", ""),
        ("tokens=abc", "", ""),
        ("%ff=%fe&token=abc", "", "abc"),
    ],
)
def test_a_credential_is_found(query: str, authorization: str, found: str) -> None:
    assert credential_in(query, authorization) == found


@pytest.mark.parametrize("query", ["token=a&token=b", "token=a&accesskey=b", "token=a&token=a"])
def test_two_credentials_are_refused(query: str) -> None:
    with pytest.raises(BadCredential) as error:
        credential_in(query, "")
    assert error.value.rule == "ambiguous-credential"


def test_a_credential_in_the_query_and_one_in_the_header_are_refused() -> None:
    with pytest.raises(BadCredential) as error:
        credential_in("token=abc", "bearer other")
    assert error.value.rule == "ambiguous-credential"


@pytest.mark.parametrize("authorization", ["Basic YTpi", "vb_abc", "Token abc"])
def test_another_scheme_is_refused_with_the_right_one(authorization: str) -> None:
    with pytest.raises(BadCredential, match="Authorization: Bearer") as error:
        credential_in("", authorization)
    assert error.value.rule == "unknown-scheme"
    assert "YTpi" not in str(error.value)


@pytest.mark.django_db
def test_each_place_comes_to_the_same_identity() -> None:
    acme = customer()
    _, secret = access_key(acme)
    found = {
        identify_request(f"token={secret}", {}),
        identify_request(f"accesskey={secret}", {}),
        identify_request("", {"authorization": f"Bearer {secret}"}),
    }
    assert [identity.customer_id for identity in found] == [str(acme.pk)]


@pytest.mark.django_db
def test_who_used_a_key_last_is_noted_in_a_form_that_every_database_takes() -> None:
    key, secret = access_key(customer())
    request = APIRequestFactory().get(
        "/", headers={"Authorization": f"Bearer {secret}", "User-Agent": "reports/2\0" + "x" * 300}
    )
    CredentialAuthentication().authenticate(request)
    key.refresh_from_db()
    assert (key.last_used_address, key.last_used_client[:10]) == (
        "127.0.0.1",
        "reports/2\N{REPLACEMENT CHARACTER}",
    )
    assert len(key.last_used_client) == 200


@pytest.mark.django_db
def test_rest_takes_the_same_credentials() -> None:
    acme = customer()
    _, secret = access_key(acme)
    request = APIRequestFactory().get("/", headers={"Authorization": f"Bearer {secret}"})
    identity, _ = CredentialAuthentication().authenticate(request)
    assert identity.customer_id == str(acme.pk)
    with pytest.raises(AuthenticationFailed, match="Send a credential"):
        CredentialAuthentication().authenticate(APIRequestFactory().get("/"))
    with pytest.raises(AuthenticationFailed, match="not known"):
        CredentialAuthentication().authenticate(APIRequestFactory().get(f"/?token={secret[:-1]}_"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("credential", "rule"),
    [
        ("", "no-credential"),
        ("nonsense", "malformed-credential"),
        ("a.b", "malformed-credential"),
        ("a.b.c", "malformed-credential"),
        ("..", "malformed-credential"),
        ("a.b.c.d", "malformed-credential"),
        ("vb_" + "x" * 9000, "malformed-credential"),
        ("ключ", "malformed-credential"),
        ("vb_\0", "unknown-key"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_credential_is_refused(credential: str, rule: str) -> None:
    assert refused(credential).rule == rule


@pytest.mark.django_db
def test_a_deep_payload_is_refused() -> None:
    body = base64.urlsafe_b64encode(b"[" * 5000).decode()
    head = base64.urlsafe_b64encode(b'{"alg": "HS256"}').decode().rstrip("=")
    assert refused(f"{head}.{body}.x").rule == "malformed-credential"


@pytest.mark.django_db
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=200) | st.tuples(st.binary(max_size=60), st.binary(max_size=60)).map(str))
@example("eyJhbGciOiJIUzI1NiJ9.bnVsbA.")
@example("vb_" + "a" * 32)
def test_any_text_is_refused_with_a_reason(credential: str) -> None:
    with pytest.raises(BadCredential):
        identify(credential)


@pytest.mark.django_db
def test_nothing_of_a_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    acme = customer()
    ann = agent(acme)
    caplog.set_level(logging.DEBUG)
    _, secret = access_key(acme, revoked_at=timezone.now())
    token = issue_token(ann)
    identify(token)
    refused(secret)
    refused(token + "x")
    said = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    assert not [line for line in said if secret in line or token in line]
