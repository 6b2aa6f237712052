"""`POST /v1.0/control/import`: many rows from JSON lines or CSV."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BooleanField, CharField, IntegerField, Serializer
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import field, operation, parameter
from events.api.request_body import read_body
from events.api.responses import reading_errors
from events.reading.parameters import Parameters
from subscriptions.accounts.link_origin import link_origin
from subscriptions.api.control.requests import NO_STORE, controlling
from subscriptions.api.control.views import TAG
from subscriptions.control.bulk_import import MAX_IMPORT_BYTES, import_lines


class LineError(Serializer[Any]):
    line = IntegerField()
    field = CharField(allow_blank=True)
    message = CharField()


class LineSecret(Serializer[Any]):
    line = IntegerField()
    id = CharField()
    name = CharField(help_text="The label of a key, or the user name of an agent.")
    secret = CharField(required=False, help_text="A new access key.")
    link = CharField(required=False, help_text="Of a wallboard: its link.")
    qr_code = CharField(required=False, help_text="Of a wallboard: the link's QR code.")
    invitation_link = CharField(required=False, help_text="Of a new agent: the link of its invitation.")


class ImportReport(Serializer[Any]):
    dry_run = BooleanField()
    counts = field(
        {"type": "object", "additionalProperties": {"type": "integer"}},
        "Lines by outcome: `created`, `changed`, `unchanged`, `failed`, and `not_stored` beside failed ones.",
    )
    errors = LineError(many=True)  # type: ignore[assignment]  # REST framework has a property of this name.
    secrets = LineSecret(many=True, help_text="New access keys and invitations of new agents, shown once.")


class ImportView(APIView):
    """Import many rows.

    The body has JSON lines or CSV, as documented in the control API. Each 500 lines are stored together or not at all.
    """

    max_body_bytes = MAX_IMPORT_BYTES

    @operation(
        "importControlRows",
        TAG,
        {200: ("The result, also if lines were refused.", ImportReport)},
        [parameter("dry_run", {"type": "boolean", "default": False}, "Check everything, store nothing.")],
        errors=("INVALID_REQUEST", "PERMISSION_DENIED", "TOO_LARGE"),
    )
    def post(self, request: Request) -> Response:
        with reading_errors():
            parameters = Parameters(dict(request.query_params.lists()), ("dry_run",))
            dry_run = bool(parameters.flag("dry_run"))
            parameters.finish()
        with controlling(request) as controller:
            try:
                text = read_body(request, MAX_IMPORT_BYTES).decode()
            except UnicodeDecodeError:
                raise ApiError(
                    status.HTTP_400_BAD_REQUEST, "Send JSON lines or CSV in UTF-8: this is neither"
                ) from None
            report = import_lines(controller, text, dry_run=dry_run, origin=link_origin(request))
        content = {
            "dry_run": dry_run,
            "counts": dict(report.counts),
            "errors": [each._asdict() for each in report.errors],
            "secrets": [each.as_json() for each in report.secrets],
        }
        return Response(content, headers=NO_STORE)
