#!/bin/sh
# Print each event of the topics, in order and once. The file remembers where to continue after a break.
topics="customer_id:$VOIPBIN_CUSTOMER_ID:call:*"
last=$(mktemp)

while :; do
    curl --silent --no-buffer --get "$VOIPBIN_API_URL/v1.0/sse" --data-urlencode "topics=$topics" \
        --header "Authorization: Bearer $VOIPBIN_TOKEN" --header "Last-Event-ID: $(cat "$last")" |
        while IFS= read -r line; do
            case $line in
                id:*) id=${line#id: } ;;
                data:*) echo "${line#data: }" && echo "$id" > "$last" ;;
            esac
        done
    sleep 1
done
