"""Conversations: the last message of each number, and all messages of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.responses import page_answer, reading_errors, visible_to
from events.api.schemas import PAGE_ERRORS, STATE_PAGE
from events.domain.event import format_timestamp
from events.domain.phone_number import other_party, spellings_of
from events.domain.strict_json import encode
from events.domain.visibility import Visible
from events.log.state_fold import state_of
from events.reading.conversations import MESSAGE, Conversation, read_conversations
from events.reading.parameters import Parameters
from events.reading.queries import StateQuery
from events.reading.states import read_states
from subscriptions.api.acting import visible_state
from subscriptions.api.desk import schemas
from subscriptions.api.me import reader_of
from subscriptions.models import OptOut
from subscriptions.models.tenants import region_of

MAX_NUMBER = 128


class ConversationsView(APIView):
    """List the conversations.

    The last message of each number, newest first. A page may hold fewer items than `limit`, or none, although another
    one follows; a later page may repeat a number, whose message is then an older one.
    """

    @operation(
        "listConversations",
        "Reading",
        {200: ("A page.", schemas.CONVERSATIONS)},
        schemas.CONVERSATION_PARAMETERS,
        errors=PAGE_ERRORS,
    )
    def get(self, request: Request) -> HttpResponse:
        reader_of(request)
        with reading_errors():
            read = Parameters(dict(request.query_params.lists()), ("search", "customer_id", "limit", "next"))
            customer_id = read.uuid("customer_id")
            search = read.search("search", schemas.MAX_SEARCH)
            paging = read.paging()
            read.finish()
            visible = _visible_messages(request, customer_id)
            page = read_conversations(visible, paging, search, region_of(visible.customer_id))
        opted_out = _opt_outs(visible.customer_id, page.items)
        items = [_shown(each, opted_out.get(each.number)) for each in page.items]
        return page_answer({}, page.start, items, page.next)


class ConversationView(APIView):
    """Read the messages of one number.

    Their states, as `GET /v1.0/messages` returns them, in any spelling of the number.
    """

    @operation(
        "getConversation",
        "Reading",
        {200: ("A page.", STATE_PAGE)},
        schemas.MESSAGE_PARAMETERS,
        errors=PAGE_ERRORS,
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        return _messages(request, lambda visible: {"parties": _spellings(number, visible)})


class MessageConversationView(APIView):
    """Read the messages of the other party of a message.

    As for the number of that party, which may be masked. A message without a number is alone.
    """

    @operation(
        "getMessageConversation",
        "Reading",
        {200: ("A page.", STATE_PAGE)},
        schemas.OF_MESSAGE_PARAMETERS,
        errors=PAGE_ERRORS,
    )
    def get(self, request: Request, message_id: str) -> HttpResponse:
        def narrow(visible: Visible) -> dict[str, Any]:
            data = state_of(visible_state(visible, MESSAGE, message_id)).data
            number = other_party(data, region_of(visible.customer_id))
            return {"resource_id": message_id} if number is None else {"parties": _spellings(number, visible)}

        return _messages(request, narrow)


def _messages(request: Request, narrow: Callable[[Visible], dict[str, Any]]) -> HttpResponse:
    """Return a page of messages; `narrow` returns the fields of the query that choose them."""
    reader_of(request)
    with reading_errors():
        read = Parameters(dict(request.query_params.lists()), ("customer_id", "limit", "order", "next"))
        customer_id = read.uuid("customer_id")
        paging = read.paging()
        read.finish()
        visible = _visible_messages(request, customer_id)
        page = read_states(visible, MESSAGE, StateQuery(paging, **narrow(visible)))
    return page_answer({"resource": MESSAGE}, page.start, page.items, page.next)


def _shown(conversation: Conversation, opted_out_at: str | None) -> str:
    head = {"number": conversation.number, "name": conversation.name, "opted_out_at": opted_out_at}
    # The state is sent as it is stored.
    return f'{encode(head)[:-1]}, "last": {conversation.last}}}'


def _visible_messages(request: Request, customer_id: str | None) -> Visible:
    visible = visible_to(request, customer_id)
    if not visible.is_whole(MESSAGE):
        raise ApiError(
            status.HTTP_403_FORBIDDEN,
            "Conversations have the messages of all agents: messages were not granted to this credential",
        )
    return visible


def _spellings(number: str, visible: Visible) -> frozenset[str]:
    return spellings_of(number[:MAX_NUMBER], region_of(visible.customer_id))


def _opt_outs(customer_id: str, conversations: Iterable[Conversation]) -> dict[str | None, str]:
    """Return when each of these numbers opted out."""
    numbers = [each.number for each in conversations if each.number is not None]
    rows = OptOut.objects.filter(customer_id=customer_id, number__in=numbers)
    return {row.number: format_timestamp(row.since) for row in rows}
