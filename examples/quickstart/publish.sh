#!/bin/sh
# Publish an event. Without an answer, send it again with the same key: it is stored once.
curl --silent "$VOIPBIN_API_URL/v1.0/events" --header "Authorization: Bearer $VOIPBIN_PUBLISH_KEY" \
    --header "Content-Type: application/json" --header "Idempotency-Key: my-first-call-created" \
    --data '{"event_type": "call.created", "data": {"id": "my-first-call", "status": "ringing"}}'
