"""Where a request carries its credential: in the query or the Authorization header, once."""

from __future__ import annotations

import pytest
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory

from subscriptions.auth.authentication import CredentialAuthentication, credential_in, identify_request
from subscriptions.auth.tokens import BadCredential
from tests.subscriptions.support.people import access_key, customer


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
        ("token=abc", "Bearer other", "abc"),
        ("", "", ""),
        ("token=", "", ""),
        ("", "Bearer", ""),
        ("tokens=abc", "", ""),
        ("%ff=%fe&token=abc", "", "abc"),
    ],
)
def test_a_credential_is_found(query: str, authorization: str, found: str) -> None:
    assert credential_in(query, authorization) == found


@pytest.mark.parametrize(
    "query", ["token=a&token=b", "token=a&accesskey=b", "accesskey=&token=a", "token=a&token=a"]
)
def test_two_credentials_are_refused(query: str) -> None:
    with pytest.raises(BadCredential) as error:
        credential_in(query, "")
    assert error.value.rule == "ambiguous-credential"


@pytest.mark.parametrize("authorization", ["Basic YTpi", "vb_abc", "Token abc"])
def test_another_scheme_is_refused_and_told_the_right_one(authorization: str) -> None:
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
