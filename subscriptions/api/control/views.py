"""The views of each kind of row, made from its `Resource`: a list, and one row by its id."""

# Long because the operations of five kinds of rows are described here.

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, IntegerField, Serializer
from rest_framework.views import APIView

from events.api.operation import READING_ERRORS, operation, parameter
from events.api.responses import reading_errors
from events.api.schemas import NOW, TEXT, UUID
from events.reading.parameters import Parameters
from subscriptions.api.control import examples
from subscriptions.api.control.requests import answered, content_of, controlling, listed
from subscriptions.auth.access_keys import ROTATION_OVERLAP
from subscriptions.control.access_keys import AccessKeys, ManagedKey
from subscriptions.control.agents import Agents, ManagedAgent
from subscriptions.control.opt_outs import ManagedOptOut, OptOuts
from subscriptions.control.resource import Resource, checked
from subscriptions.control.tenants import Customers, Queues

TAG = "Control"
WRITE_ERRORS = (*READING_ERRORS, "TOO_LARGE")
MAX_OVERLAP_SECONDS = 30 * 24 * 3600


class CreatedKey(ManagedKey):
    secret = CharField(required=False, help_text="The key itself: only in the answer that creates it.")
    link = CharField(required=False, help_text="Of a wallboard: its link, which has the key in its fragment.")
    qr_code = CharField(required=False, help_text="The link's QR code, as an SVG document.")


class CreatedAgent(ManagedAgent):
    invitation_link = CharField(
        required=False, help_text="Without a password: the link with which the agent sets one. Shown once."
    )


def _page(kind: str, row: type[Serializer[Any]]) -> type[Serializer[Any]]:
    following = CharField(allow_null=True, help_text="Send it as `after`; `null` on the last page.")
    return type(f"{kind}Page", (Serializer,), {"items": row(many=True), "next": following, "now": NOW})


_BOOLEANS = ("is_active", "may_publish", "may_subscribe", "may_control")


def _list_parameters(resource: Resource) -> list[Any]:
    def schema(name: str) -> Mapping[str, Any]:
        if name in _BOOLEANS:
            return {"type": "boolean"}
        return UUID if name.endswith("_id") else TEXT

    return [
        parameter("after", TEXT, "`next` of the page before."),
        parameter(
            "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Rows of a page."
        ),
        *(parameter(name, schema(name), "Only rows with this value.") for name in resource.filters),
    ]


def _views(resource: Resource, kind: str, one: str) -> tuple[type[APIView], type[APIView]]:
    """Return the views of the list and of one row."""
    row = resource.serializer
    new = {"AccessKey": CreatedKey, "Agent": CreatedAgent}.get(kind, row)
    by_id = [parameter("row_id", UUID, "The platform's own id.", "path")]
    bodies = {"complete": examples.BODIES[kind]}

    class ListView(APIView):
        def get(self, request: Request) -> Response:
            with controlling(request) as controller:
                return listed(resource, controller, request)

    class RowView(APIView):
        def get(self, request: Request, row_id: str) -> Response:
            with controlling(request) as controller:
                return Response(resource.shown(resource.find(controller, row_id)))

        def put(self, request: Request, row_id: str) -> Response:
            with controlling(request) as controller:
                return answered(resource, resource.put(controller, row_id, content_of(request)), request)

        def patch(self, request: Request, row_id: str) -> Response:
            with controlling(request) as controller:
                return answered(resource, resource.patch(controller, row_id, content_of(request)), request)

        def delete(self, request: Request, row_id: str) -> Response:
            with controlling(request) as controller:
                resource.delete(controller, row_id)
            return Response(status=status.HTTP_204_NO_CONTENT)

    ending = "revoke" if kind == "AccessKey" else "delete"
    name = f"Control{kind}"
    described: list[tuple[Any, str, Any]] = [
        (
            ListView.get,
            f"List {one}s.\n\nIn the order of their ids.",
            operation(
                f"list{name}s",
                TAG,
                {200: ("A page.", _page(name, row))},
                _list_parameters(resource),
                errors=READING_ERRORS,
            ),
        ),
        (RowView.get, f"Read one {one}.", operation(f"get{name}", TAG, {200: ("The row.", row)}, by_id)),
        (
            RowView.put,
            f"Create or replace one {one}.\n\nFields that are left out get their defaults. "
            "Repeating the request changes nothing.",
            operation(
                f"replace{name}",
                TAG,
                {200: ("It existed.", row), 201: ("It was created.", new)},
                by_id,
                body=row,
                examples=bodies,
                errors=WRITE_ERRORS,
            ),
        ),
        (
            RowView.patch,
            f"Change one {one}.\n\nFields that are left out stay.",
            operation(
                f"update{name}",
                TAG,
                {200: ("It has these values.", row)},
                by_id,
                body=row(partial=True),
                examples={"one field": examples.PATCHES[kind]},
                errors=WRITE_ERRORS,
            ),
        ),
        (
            RowView.delete,
            f"{ending.title()} one {one}.",
            operation(f"{ending}{name}", TAG, {204: ("It is done.", None)}, by_id),
        ),
    ]
    for handler, text, describe in described:
        handler.__doc__ = text
        describe(handler)
    return ListView, RowView


access_keys, opt_outs = AccessKeys(), OptOuts()
CustomersView, CustomerView = _views(Customers(), "Customer", "customer")
QueuesView, QueueView = _views(Queues(), "Queue", "queue")
AgentsView, AgentView = _views(Agents(), "Agent", "agent")
KeysView, KeyView = _views(access_keys, "AccessKey", "access key")


class AccessKeysView(KeysView):  # type: ignore[valid-type, misc]
    """Access keys: list them, or create one with an id of the gateway."""

    @operation(
        "createControlAccessKey",
        TAG,
        {201: ("It was created.", CreatedKey)},
        body=ManagedKey,
        examples={"complete": examples.BODIES["AccessKey"]},
        errors=WRITE_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Create an access key.

        Its secret is only in this answer. It has at most the rights of the credential that creates it.
        """
        with controlling(request) as controller:
            return answered(access_keys, access_keys.create(controller, content_of(request)), request)


class Rotation(Serializer[Any]):
    overlap_seconds = IntegerField(
        min_value=0,
        max_value=MAX_OVERLAP_SECONDS,
        default=int(ROTATION_OVERLAP.total_seconds()),
        help_text="How long the old key stays valid.",
    )


class RotationView(APIView):
    """Rotate an access key.

    The successor has the same rights and lifetime; its secret is only in this answer.
    """

    @operation(
        "rotateControlAccessKey",
        TAG,
        {201: ("The successor.", CreatedKey)},
        [parameter("row_id", UUID, "The access key.", "path")],
        body=Rotation,
        examples={"an hour": {"overlap_seconds": 3600}},
        errors=WRITE_ERRORS,
    )
    def post(self, request: Request, row_id: str) -> Response:
        with controlling(request) as controller:
            values = checked(Rotation, content_of(request, may_be_empty=True))
            overlap = dt.timedelta(seconds=values["overlap_seconds"])
            return answered(access_keys, access_keys.rotate(controller, row_id, overlap), request)


class OptOutsView(APIView):
    """List opt-outs."""

    @operation(
        "listControlOptOuts",
        TAG,
        {200: ("A page.", _page("ControlOptOut", ManagedOptOut))},
        _list_parameters(opt_outs),
        errors=READING_ERRORS,
    )
    def get(self, request: Request) -> Response:
        with controlling(request) as controller:
            return listed(opt_outs, controller, request)


_BY_NUMBER = [parameter("number", TEXT, "The number, best in E.164.", "path")]
_OF_CUSTOMER = parameter("customer_id", UUID, "The customer; needed if the credential reaches all.")


class OptOutView(APIView):
    """The opt-out of one number."""

    @operation(
        "getControlOptOut",
        TAG,
        {200: ("It has opted out.", ManagedOptOut)},
        [*_BY_NUMBER, _OF_CUSTOMER],
    )
    def get(self, request: Request, number: str) -> Response:
        """Read one opt-out."""
        with controlling(request) as controller:
            return Response(opt_outs.shown(opt_outs.find_number(controller, number, _customer_in(request))))

    @operation(
        "replaceControlOptOut",
        TAG,
        {200: ("It had opted out.", ManagedOptOut), 201: ("It opted out.", ManagedOptOut)},
        _BY_NUMBER,
        body=ManagedOptOut,
        examples={"now": {}, "complete": examples.BODIES["OptOut"]},
        errors=WRITE_ERRORS,
    )
    def put(self, request: Request, number: str) -> Response:
        """Opt a number out."""
        with controlling(request) as controller:
            return answered(
                opt_outs, opt_outs.put(controller, number, content_of(request, may_be_empty=True)), request
            )

    @operation(
        "deleteControlOptOut",
        TAG,
        {204: ("It may get messages again.", None)},
        [*_BY_NUMBER, _OF_CUSTOMER],
    )
    def delete(self, request: Request, number: str) -> Response:
        """Opt a number in again."""
        with controlling(request) as controller:
            opt_outs.delete_number(controller, number, _customer_in(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _customer_in(request: Request) -> str | None:
    with reading_errors():
        parameters = Parameters(dict(request.query_params.lists()), ("customer_id",))
        customer_id = parameters.uuid("customer_id")
        parameters.finish()
    return customer_id
