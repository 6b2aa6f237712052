"""Sending replies through the platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from examples.answering.errors import FatalError, error_message, log
from examples.answering.store import Reply

TEMPORARY = (403, 404, 408, 425, 429)
"""Statuses that do not concern the message: they end once an operator grants or connects what is missing."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The API that sends messages; it must send only one for each Idempotency-Key."""

    url: str
    key: str
    customer_id: str

    async def send(self, http: httpx.AsyncClient, reply: Reply) -> str | None:
        """Send a reply; return its new state, or `None` if it is to be tried again.

        Raises:
            httpx.TransportError: the platform cannot be reached.
            FatalError: the platform does not accept the credential.
        """
        body: dict[str, Any] = {
            "customer_id": self.customer_id,
            "destinations": [{"type": "tel", "target": reply.phone}],
            "text": reply.text,
            "automatic": True,
        }
        if reply.line:
            body["source"] = {"type": "tel", "target": reply.line}
        headers = {"Idempotency-Key": f"auto-reply-{reply.message_id}"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        response = await http.post(f"{self.url}/v1.0/messages", json=body, headers=headers)
        if response.is_success:
            log(f"Answered {reply.phone}")
            return "sent"
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise FatalError(f"The platform does not accept PLATFORM_API_KEY: {error_message(response)}")
        log(f"The platform does not send the reply to {reply.phone}: {error_message(response)}")
        is_final = 400 <= response.status_code < 500 and response.status_code not in TEMPORARY
        return "refused" if is_final else None
