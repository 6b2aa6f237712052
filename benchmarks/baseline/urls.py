"""The one URL, for publishing."""

import hmac
import json

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.baseline.topics import group_of


@csrf_exempt
def publish(request: HttpRequest) -> JsonResponse:
    """Send each event of a list to the subscribers of its resource; nothing is stored."""
    if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {settings.SECRET_KEY}"):
        return JsonResponse({}, status=401)
    send = async_to_sync(get_channel_layer().group_send)
    events = json.loads(request.body)
    for event in events:
        every_one_of_its_resource = event["topic"].rpartition(":")[0] + ":*"
        send(group_of(every_one_of_its_resource), {"type": "event.published", "event": event})
    return JsonResponse({"count": len(events)}, status=201)


urlpatterns = [path("events", publish)]
