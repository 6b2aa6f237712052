"""Publish an event, and wait until it is stored: through outages and restarts, once."""

import asyncio
import os

from voipbin_ws_client import Publisher


async def main() -> None:
    async with Publisher(os.environ["VOIPBIN_API_URL"], token=os.environ["VOIPBIN_PUBLISH_KEY"]) as publisher:
        [receipt] = await publisher.publish(
            {"event_type": "call.created", "data": {"id": "my-first-call", "status": "ringing"}}
        )
        print(receipt)


asyncio.run(main())
