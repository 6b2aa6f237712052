"""The documents are true: each example of docs/protocol.md happens as it is written, and every link leads somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.journeys.support.cast import Company, Key, Person, settle
from tests.journeys.support.dialogue import CURSOR, Player, blocks, dialogues
from tests.support.gateway import Gateway
from tests.support.processes import ROOT

PROTOCOL = ROOT / "docs" / "protocol.md"

CUSTOMER = "12345678-1234-1234-1234-123456789012"
AGENT = "3f1a9c52-6c1e-4d7b-9a53-0d4c7f2b8e10"
MANAGER = "e2b3c4d5-0000-4000-8000-00000000000a"
QUEUE = "9d2b7c40-51aa-4c07-8e0e-6b1f2f3a4d55"


@pytest.fixture(scope="module")
def player(gateway_on_each_stack: Gateway) -> Player:
    """The people of the document, in the gateway's database."""
    acme = Company(
        "Acme",
        people=[
            Person("ann", id=AGENT, queues=[QUEUE]),
            Person("mary", role="manager", id=MANAGER, password="correct horse battery staple"),
        ],
        keys=[
            Key("publisher", may_subscribe=False, may_publish=True),
            Key("reports"),
            Key("narrowed", allowed_topics=[f"customer_id:{CUSTOMER}:call:*"]),
            Key("manager's", agent_id=MANAGER, secret="vb_00000000000000000000000000manager"),
        ],
        queues=[QUEUE],
        id=CUSTOMER,
    )
    settle(gateway_on_each_stack, acme)
    return Player(
        gateway_on_each_stack,
        {
            "manager": acme.token("mary"),
            "agent": acme.token("ann"),
            "publisher": acme.key("publisher"),
            "reports": acme.key("reports"),
            "narrowed": acme.key("narrowed"),
            "nobody": "",
        },
    )


def test_an_example_that_does_not_happen_is_found(player: Player) -> None:
    wrong = '```dialogue\n→ {"type": "ping"}\n← {"type": "pong", "cursor": "7d0c7b1e52aa.0"}\n```\n'
    with pytest.raises(AssertionError, match="line 3"):
        player.play(next(dialogues(wrong)))


def test_every_example_happens_as_it_is_written(player: Player) -> None:
    """In the order of the document, for later examples speak of what earlier ones published."""
    for dialogue in dialogues(PROTOCOL.read_text()):
        player.play(dialogue)
    _cursors_grow_as_written(player.made_up)


def _cursors_grow_as_written(made_up: dict[str, str]) -> None:
    def number(cursor: str) -> int:
        return int(cursor.rpartition(".")[2])

    written = sorted((text for text in made_up if CURSOR.fullmatch(text)), key=number)
    real = [number(made_up[text]) for text in written]
    assert len(real) > 5
    assert real == sorted(set(real))


def test_every_piece_of_json_and_python_in_the_documents_can_be_read() -> None:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for kind, _, body, number in blocks(path.read_text()):
            try:
                if kind == "json":
                    json.loads(body)
                elif kind == "python":
                    compile(body, path.name, "exec")
            except (ValueError, SyntaxError) as error:
                pytest.fail(f"{path.name}, line {number}: {error}")


def test_the_client_in_the_document_is_the_one_in_the_examples() -> None:
    shown = [body for kind, _, body, _ in blocks(PROTOCOL.read_text()) if kind == "python"]
    assert (ROOT / "examples" / "subscribe.py").read_text() in shown


def test_links_between_the_documents_lead_somewhere() -> None:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            if "://" in target:
                continue
            file, _, anchor = target.partition("#")
            linked = (path.parent / file).resolve() if file else path
            assert linked.exists(), f"{path.name} links to {target}"
            if anchor:
                assert anchor in _anchors(linked), f"{path.name} links to {target}"


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
