"""Every rule that the gateway gives has a text."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import subscriptions
from subscriptions.audit.rule_texts import RULE_TEXTS, text_of
from subscriptions.protocol.codes import CloseCode

_KEBAB = re.compile(r"\A[a-z]+(?:-[a-z]+)+\Z")
NO_RULES = {"user-agent"}


def rules_in(module: str) -> set[str]:
    tree = ast.parse((Path(subscriptions.__file__).parent / f"{module}.py").read_text())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and _KEBAB.match(text)} - NO_RULES


def test_every_rule_that_the_gateway_gives_is_explained() -> None:
    modules = (
        "protocol/permissions",
        "auth/authentication",
        "connections/connection",
        "connections/handshake",
        "connections/recorder",
        "connections/reauthorization",
        "protocol/session",
        "auth/access_keys",
        "auth/credentials",
        "auth/tokens",
    )
    given = set().union(*map(rules_in, modules))
    assert {"foreign-customer", "revoked-key", "client-left"} <= given
    assert given - set(RULE_TEXTS) == set()


def test_every_close_code_is_explained() -> None:
    assert {code.name for code in CloseCode} <= set(RULE_TEXTS)


def test_an_unknown_rule_is_explained_by_nothing() -> None:
    assert text_of("no-such-rule") == ""
