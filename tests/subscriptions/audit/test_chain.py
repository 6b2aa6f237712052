"""The audit log's chain: whatever is done to a record shows, and where."""

from __future__ import annotations

import pytest

from subscriptions.audit.chain import End, Link, Verifier, seal

FLOOR = End(0, "0" * 64)


def chain(*texts: str) -> list[Link]:
    """Links that say these texts, as they were written."""
    links: list[Link] = []
    digest = FLOOR.digest
    for position, text in enumerate(texts, start=1):
        digest = seal(digest, position, (text,))
        links.append(Link(10 * position, position, digest, (text,)))
    return links


def found(links: list[Link], head: End | None = None) -> list[tuple[str, tuple[int, int] | None, int | None]]:
    """What the verifier finds in these links."""
    verifier = Verifier(FLOOR)
    for link in links:
        verifier.take(link)
    verifier.finish(head or verifier.end)
    return [(finding.damage.value, finding.positions, finding.id) for finding in verifier.findings]


def end_of(links: list[Link]) -> End:
    return End(links[-1].position or 0, links[-1].digest)


WHOLE = chain("a", "b", "c", "d")
FORGED = Link(25, 2, seal(WHOLE[0].digest, 2, ("forged",)), ("forged",))


@pytest.mark.parametrize(
    ("links", "findings"),
    [
        (WHOLE, []),
        ([WHOLE[0], Link(20, 2, WHOLE[1].digest, ("B",)), *WHOLE[2:]], [("changed", (2, 2), 20)]),
        # Sealed anew, but what follows was not.
        ([WHOLE[0], FORGED, *WHOLE[2:]], [("changed", (3, 3), 30)]),
        ([WHOLE[0], *WHOLE[2:]], [("removed", (2, 2), None)]),
        ([WHOLE[3]], [("removed", (1, 3), None)]),
        ([WHOLE[0], Link(20, 5, WHOLE[1].digest, ("b",)), *WHOLE[2:]], [("removed", (2, 4), None)]),
        ([WHOLE[0], WHOLE[1], Link(25, None, "", ("x",)), *WHOLE[2:]], [("inserted", None, 25)]),
        ([WHOLE[0], WHOLE[1], FORGED, *WHOLE[2:]], [("inserted", (2, 2), 25)]),
        ([WHOLE[0], Link(15, 2, "0" * 64, ("x",)), *WHOLE[1:]], [("inserted", (2, 2), 15)]),
        # Of two that both do not fit, neither is the genuine one.
        (
            [WHOLE[0], Link(20, 2, WHOLE[1].digest, ("B",)), Link(25, 2, "0" * 64, ("x",)), *WHOLE[2:]],
            [("changed", (2, 2), 20), ("inserted", (2, 2), 25)],
        ),
        ([WHOLE[1], WHOLE[0], *WHOLE[2:]], [("removed", (1, 1), None), ("inserted", (1, 1), 10)]),
    ],
)
def test_what_was_done_to_the_chain_is_found(
    links: list[Link], findings: list[tuple[str, tuple[int, int] | None, int | None]]
) -> None:
    found_now = found(links, end_of(WHOLE))
    assert found_now[: len(findings)] == findings
    assert bool(found_now) == bool(findings)


@pytest.mark.parametrize(
    ("links", "head", "findings"),
    [
        (WHOLE[:2], end_of(WHOLE), [("removed", (3, 4), None)]),
        (WHOLE, end_of(WHOLE[:3]), [("inserted", (4, 4), 40)]),
        (WHOLE, end_of(WHOLE[:1]), [("inserted", (2, 4), 40)]),
        (WHOLE[:3], end_of(WHOLE), [("removed", (4, 4), None)]),
        (WHOLE, End(4, FORGED.digest), [("changed", (4, 4), 40)]),
        ([], end_of(WHOLE), [("removed", (1, 4), None)]),
    ],
)
def test_the_end_of_the_chain_is_what_the_head_says(
    links: list[Link], head: End, findings: list[tuple[str, tuple[int, int], int | None]]
) -> None:
    assert found(links, head) == findings


def test_however_much_is_wrong_the_findings_stay_few() -> None:
    verifier = Verifier(FLOOR)
    for number in range(1000):
        verifier.take(Link(number, None, "", ("x",)))
    assert (verifier.damaged, len(verifier.findings)) == (1000, 20)
