"""Tokens: which are accepted, their identities, and the reasons of refusals."""

# Long because three kinds of credentials are each refused in many ways.
from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone

from subscriptions.auth.authentication import identify
from subscriptions.auth.customer_quotas import quotas_of_customer, rates_of_token
from subscriptions.auth.tokens import LEEWAY_SECONDS, issue_token
from subscriptions.models import Agent, Customer
from subscriptions.protocol.permissions import Identity, Role
from tests.subscriptions.support.credentials import refused
from tests.subscriptions.support.people import access_key, agent, customer, voipbin_time

pytestmark = pytest.mark.django_db

KEY, OLD_KEY, VOIPBIN_KEY = "the key that signs" * 3, "the key before" * 3, "the key of VoIPBIN" * 3


@pytest.fixture(autouse=True)
def _keys(settings: Any) -> None:
    settings.JWT_KEYS = [KEY, OLD_KEY]
    settings.VOIPBIN_JWT_KEYS = [VOIPBIN_KEY]


@pytest.fixture
def acme() -> Customer:
    return customer()


@pytest.fixture
def ann(acme: Customer) -> Agent:
    return agent(acme, granted_resources=["message"])


def in_an_hour() -> int:
    return int(timezone.now().timestamp()) + 3600


def signed(claims: dict[str, Any], key: str = KEY, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


# --- Our own tokens ---


def test_a_token_says_who_holds_it(ann: Agent) -> None:
    before = timezone.now().timestamp()
    found = identify(issue_token(ann))
    assert found == Identity(
        customer_id=str(ann.customer_id),
        agent_id=str(ann.pk),
        role=Role.AGENT,
        credential=f"token of {ann.user.username}",
        credential_id=f"agent:{ann.pk}",
        may_subscribe=True,
        may_publish=False,
        granted_resources=frozenset({"message"}),
        expires_at=found.expires_at,
        issued_at=found.issued_at,
        token_id=found.token_id,
        quotas=quotas_of_customer(ann.customer),
        rates=rates_of_token(),
    )
    assert found.token_id
    assert found.expires_at is not None
    assert 0 <= found.expires_at - before - 7 * 86400 + 1 <= 10


@pytest.mark.parametrize(
    ("role", "may_publish"), [("agent", False), ("manager", False), ("admin", True), ("staff", True)]
)
def test_admins_and_staff_may_publish(acme: Customer, role: str, may_publish: bool) -> None:
    found = identify(issue_token(agent(acme, role)))
    assert (found.role, found.may_publish, found.may_subscribe) == (role, may_publish, True)


@pytest.mark.parametrize("missing", ["exp", "sub"])
def test_a_token_without_expiry_or_holder_is_refused(ann: Agent, missing: str) -> None:
    claims = {"sub": str(ann.pk), "exp": in_an_hour()}
    assert identify(signed(claims)).agent_id == str(ann.pk)
    del claims[missing]
    assert refused(signed(claims)).rule == "invalid-token"


def test_an_expired_token_is_refused(ann: Agent) -> None:
    assert (
        refused(signed({"sub": str(ann.pk), "exp": in_an_hour() - 3600 - LEEWAY_SECONDS - 1})).rule
        == "expired-token"
    )
    long_ago = timezone.now() - timedelta(days=8)
    assert refused(issue_token(ann, long_ago)).rule == "expired-token"


@pytest.mark.parametrize("key", ["ours", "VoIPBIN's"])
@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({"iat": 3}, None),
        ({"iat": 60}, "invalid-token"),
        ({"nbf": 3}, None),
        ({"nbf": 60}, "invalid-token"),
        ({"exp": -3}, None),
        ({"exp": -60}, "expired-token"),
        ({"aud": "gateway"}, None),
        ({"aud": 7}, None),
    ],
    ids=str,
)
def test_clocks_may_differ_by_seconds_and_any_audience_is_accepted(
    ann: Agent, claims: dict[str, Any], rule: str | None, key: str
) -> None:
    now = timezone.now().timestamp()
    moments = {name: value if name == "aud" else now + value for name, value in claims.items()}
    if key == "ours":
        token = signed({"sub": str(ann.pk), "exp": in_an_hour()} | moments)
    else:
        token = signed(voipbin_claims(str(ann.pk), str(ann.customer_id)) | moments, VOIPBIN_KEY)
    if rule is None:
        assert identify(token).agent_id == str(ann.pk)
    else:
        assert refused(token).rule == rule


def test_keys_rotate_the_first_signs_and_all_are_accepted(ann: Agent, settings: Any) -> None:
    old = signed({"sub": str(ann.pk), "exp": in_an_hour()}, OLD_KEY)
    assert identify(old).agent_id == str(ann.pk)
    assert jwt.decode(issue_token(ann), KEY, algorithms=["HS256"])["sub"] == str(ann.pk)
    settings.JWT_KEYS = [KEY]
    assert refused(old).rule == "unknown-signature"


def test_a_token_signed_with_another_key_is_refused(ann: Agent) -> None:
    claims = {"sub": str(ann.pk), "exp": in_an_hour()}
    assert refused(signed(claims, "a stranger's key" * 3)).rule == "unknown-signature"
    # VoIPBIN's key is for VoIPBIN's tokens alone.
    assert refused(signed(claims, VOIPBIN_KEY)).rule == "unknown-signature"


def test_a_token_without_a_signature_is_refused(ann: Agent) -> None:
    claims = {"sub": str(ann.pk), "exp": in_an_hour()}
    assert refused(jwt.encode(claims, None, algorithm="none")).rule == "invalid-token"
    head, body, _ = signed(claims).split(".")
    assert refused(f"{head}.{body}.").rule == "unknown-signature"


def test_only_the_pinned_algorithm_is_accepted(ann: Agent, settings: Any) -> None:
    settings.JWT_KEYS = [KEY * 2]
    claims = {"sub": str(ann.pk), "exp": in_an_hour()}
    for algorithm in ("HS384", "HS512"):
        assert refused(signed(claims, KEY * 2, algorithm)).rule == "invalid-token"
    # An RS256 header over a signature by our own key: the classical confusion of algorithms.
    _, body, signature = signed(claims, KEY * 2).split(".")
    head = base64.urlsafe_b64encode(b'{"alg": "RS256", "typ": "JWT"}').rstrip(b"=").decode()
    assert refused(f"{head}.{body}.{signature}").rule == "invalid-token"


def test_a_changed_token_is_refused(ann: Agent) -> None:
    head, body, signature = issue_token(ann).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["exp"] += 1
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert refused(f"{head}.{changed}.{signature}").rule == "unknown-signature"


@pytest.mark.parametrize(
    "sub", ["0b8f6a52-3c1d-4e7f-9a60-5d2c7e81b394", "nobody", "", "{12345678-1234-1234-1234-123456789012}"]
)
def test_a_token_of_an_unknown_agent_is_refused(sub: str) -> None:
    assert refused(signed({"sub": sub, "exp": in_an_hour()})).rule == "unknown-agent"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": "soon"},
        {"exp": [1]},
        {"exp": None},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"iat": "once"},
        {"iat": {}},
        {"iat": float("nan")},
        {"sub": 7},
        {"nbf": "x"},
        {"nbf": 2**62},
    ],
    ids=str,
)
def test_a_signed_token_with_nonsense_in_it_is_refused(ann: Agent, claims: dict[str, Any]) -> None:
    whole = {"sub": str(ann.pk), "exp": in_an_hour()} | claims
    head, _, _ = signed({}).split(".")
    body = base64.urlsafe_b64encode(json.dumps(whole).encode()).rstrip(b"=").decode()
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{head}.{body}".encode(), KEY.encode()
    )
    ending = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    assert refused(f"{head}.{body}.{ending}").rule in ("invalid-token", "unknown-agent")


def test_signing_out_everywhere_refuses_tokens_from_before(ann: Agent) -> None:
    before = issue_token(ann)
    ann.tokens_valid_from = timezone.now()
    ann.save()
    assert refused(before).rule == "revoked-token"
    assert identify(issue_token(ann)).agent_id == str(ann.pk)
    # One that does not say when it was issued may be from before.
    assert refused(signed({"sub": str(ann.pk), "exp": in_an_hour()})).rule == "revoked-token"


@pytest.mark.parametrize("switched_off", ["customer", "agent", "user"])
def test_who_is_switched_off_gets_in_with_no_credential(ann: Agent, switched_off: str) -> None:
    _, of_agent = access_key(ann.customer, ann)
    _, of_customer = access_key(ann.customer)
    token = issue_token(ann)
    from_voipbin = signed(voipbin_claims(str(ann.pk), str(ann.customer_id)), VOIPBIN_KEY)
    for credential in (of_agent, of_customer, token, from_voipbin):
        identify(credential)
    whom = {"customer": ann.customer, "agent": ann, "user": ann.user}[switched_off]
    whom.is_active = False
    whom.save()
    rule = "inactive-customer" if switched_off == "customer" else "inactive-agent"
    for credential in (of_agent, token, from_voipbin):
        assert refused(credential).rule == rule
    if switched_off == "customer":
        assert refused(of_customer).rule == rule
    else:
        assert identify(of_customer).agent_id is None


# --- VoIPBIN's tokens ---


def voipbin_claims(agent_id: str, customer_id: str, permission: Any = 0x10, **claims: Any) -> dict[str, Any]:
    return {
        "type": "agent",
        "agent": {"id": agent_id, "customer_id": customer_id, "permission": permission, "name": "Ann"},
        "expire": voipbin_time(datetime.now(UTC) + timedelta(hours=1)),
    } | claims


def from_voipbin(*, key: str = VOIPBIN_KEY, **claims: Any) -> str:
    return signed(voipbin_claims(str(uuid.uuid4()), str(uuid.uuid4()), **claims), key)


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        (0x01, Role.STAFF),
        (0x10, Role.AGENT),
        (0x20, Role.ADMIN),
        (0x40, Role.MANAGER),
        (0x30, Role.ADMIN),
        (0x50, Role.MANAGER),
        (0x60, Role.ADMIN),
        (0x71, Role.STAFF),
        (0xFFF0, Role.ADMIN),
    ],
)
def test_the_farthest_reaching_permission_bit_decides(permission: int, role: Role) -> None:
    found = identify(from_voipbin(permission=permission))
    assert (found.role, found.may_publish) == (role, role in (Role.ADMIN, Role.STAFF))


@pytest.mark.parametrize("permission", [0, 0x02, 0x100])
def test_an_agent_without_a_permission_is_refused(permission: int) -> None:
    assert refused(from_voipbin(permission=permission)).rule == "no-permission"


@pytest.mark.parametrize("permission", [True, None, "16", 16.0, [16], -1])
def test_a_permission_that_is_no_number_of_bits_is_refused(permission: Any) -> None:
    assert refused(from_voipbin(permission=permission)).rule == "invalid-token"


def test_an_agent_whom_only_voipbin_knows_is_accepted() -> None:
    agent_id, customer_id = str(uuid.uuid4()), str(uuid.uuid4())
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    claims = voipbin_claims(agent_id, customer_id, 0x40, expire=voipbin_time(expires))
    found = identify(signed(claims, VOIPBIN_KEY))
    assert (found.agent_id, found.customer_id, found.role) == (agent_id, customer_id, Role.MANAGER)
    assert found.expires_at == expires.timestamp() + LEEWAY_SECONDS
    assert found.granted_resources == frozenset()


def test_a_known_agents_grants_count_with_voipbins_token_too(ann: Agent) -> None:
    found = identify(signed(voipbin_claims(str(ann.pk), str(ann.customer_id)), VOIPBIN_KEY))
    assert found.granted_resources == {"message"}
    assert found.credential_id == f"voipbin:{ann.pk}"


def test_an_agent_of_another_customer_here_is_refused(ann: Agent) -> None:
    claims = voipbin_claims(str(ann.pk), str(customer("Globex").pk), 0x40)
    assert refused(signed(claims, VOIPBIN_KEY)).rule == "foreign-agent"


def test_a_signed_out_agent_is_signed_out_of_voipbins_tokens_too(ann: Agent) -> None:
    now = int(timezone.now().timestamp())
    ann.tokens_valid_from = timezone.now() - timedelta(seconds=60)
    ann.save()
    claims = voipbin_claims(str(ann.pk), str(ann.customer_id))
    assert refused(signed(claims, VOIPBIN_KEY)).rule == "revoked-token"
    assert refused(signed(claims | {"iat": now - 90}, VOIPBIN_KEY)).rule == "revoked-token"
    assert identify(signed(claims | {"iat": now - 30}, VOIPBIN_KEY)).agent_id == str(ann.pk)


def test_voipbins_expiry_is_kept(ann: Agent) -> None:
    past = voipbin_time(datetime.now(UTC) - timedelta(seconds=LEEWAY_SECONDS + 1))
    assert refused(from_voipbin(expire=past)).rule == "expired-token"
    # `exp` beside it is looked at too, and does instead of it.
    assert refused(from_voipbin(exp=in_an_hour() - 7200)).rule == "expired-token"
    found = identify(from_voipbin(expire=None, exp=in_an_hour() + 5))
    assert found.expires_at == pytest.approx(in_an_hour() + 5, abs=10)


@pytest.mark.parametrize(
    "expire", [None, "", "tomorrow", 7, "2099-01-01", "2099-01-01 00:00:00", "2099-13-01T00:00:00.000000Z"]
)
def test_a_token_of_voipbin_that_does_not_say_when_it_ends_is_refused(expire: Any) -> None:
    assert refused(from_voipbin(expire=expire)).rule == "invalid-token"


@pytest.mark.parametrize(
    "claimed",
    [
        None,
        7,
        [],
        {},
        {"id": "x", "customer_id": "y", "permission": 16},
        {"id": str(uuid.UUID(int=7)), "permission": 16},
        {"customer_id": str(uuid.UUID(int=7)), "permission": 16},
        {"id": str(uuid.UUID(int=7)), "customer_id": str(uuid.UUID(int=7))},
        {"id": uuid.UUID(int=7).hex, "customer_id": str(uuid.UUID(int=7)), "permission": 16},
        {"id": 7, "customer_id": str(uuid.UUID(int=7)), "permission": 16},
    ],
    ids=str,
)
def test_a_token_of_voipbin_that_lacks_its_agent_is_refused(claimed: Any) -> None:
    assert refused(from_voipbin(agent=claimed)).rule == "invalid-token"


def test_only_voipbins_key_signs_for_voipbin(settings: Any) -> None:
    assert refused(from_voipbin(key=KEY)).rule == "unknown-signature"
    good = from_voipbin()
    settings.VOIPBIN_JWT_KEYS = []
    assert refused(good).rule == "unknown-signature"
