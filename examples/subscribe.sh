#!/bin/sh
# Print what the gateway sends about the topics on the command line, until the connection ends. Needs wscat:
# npm install -g wscat
set -eu

topics=$(printf ', "%s"' "$@")
exec wscat --connect "$VOIPBIN_WS_URL" --header "Authorization: Bearer $VOIPBIN_TOKEN" \
    --execute "{\"type\": \"subscribe\", \"topics\": [${topics#, }]}" --wait -1
