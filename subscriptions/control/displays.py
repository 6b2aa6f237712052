"""Wallboards: the topics of their keys, their links, and the QR codes of these."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import segno
from django.views.decorators.debug import sensitive_variables

from subscriptions.control.controller import FieldProblem, Refused
from subscriptions.models import AccessKey, KeyKind, Queue, display_topics

PAGE = "wallboard/"


@sensitive_variables()
def wallboard_link(secret: str, origin: str) -> str:
    """Return the link; `origin` is the gateway's URL with a slash at its end.

    Browsers send a fragment to no server, and in no referrer.
    """
    return f"{origin}{PAGE}#key={secret}"


@sensitive_variables()
def qr_code(link: str) -> str:
    """Return the QR code of a link as an SVG document without scripts and styles."""
    text = BytesIO()
    code = segno.make_qr(link, error="m")
    code.save(text, kind="svg", xmldecl=False, nl=False, dark="#000", light="#fff", border=4, omitsize=True)
    return text.getvalue().decode()


def set_display(row: AccessKey, values: dict[str, Any], *, is_new: bool) -> None:
    """Set the topics of a wallboard from its queues.

    Raises:
        Refused: The kind changes, a queue is unknown, or what only programs have is set.
    """
    kind, ids = values.pop("kind", None), values.pop("queue_ids", None)
    if not is_new and kind not in (None, row.kind):
        raise Refused(FieldProblem("kind", "a key keeps its kind: make a new key"))
    kind = values["kind"] = kind or row.kind
    if kind != KeyKind.DISPLAY:
        if ids:
            raise Refused(FieldProblem("queue_ids", "only a wallboard has queues: use allowed_topics"))
        return
    if values.pop("allowed_topics", None):
        raise Refused(
            FieldProblem("allowed_topics", "a wallboard has the topics of its queues: use queue_ids")
        )
    if ids is not None:
        known = set(
            Queue.objects.filter(customer_id=row.customer_id, pk__in=ids).values_list("pk", flat=True)
        )
        if unknown := set(ids) - known:
            names = ", ".join(sorted(map(str, unknown))[:5])
            raise Refused(FieldProblem("queue_ids", f"there is no such queue of the customer: {names}"))
        values["allowed_topics"] = display_topics(row.customer_id, ids)
