"""Print each event of the topics, in order and once; events that may be missing are reported as a gap."""

import asyncio
import json
import os

from voipbin_ws_client import Event, EventClient

topics = [f"customer_id:{os.environ['VOIPBIN_CUSTOMER_ID']}:call:*"]


async def main() -> None:
    async with EventClient(
        os.environ["VOIPBIN_WS_URL"], token=os.environ["VOIPBIN_TOKEN"], topics=topics
    ) as client:
        async for item in client:
            print(json.dumps(item.frame) if isinstance(item, Event) else item, flush=True)


asyncio.run(main())
