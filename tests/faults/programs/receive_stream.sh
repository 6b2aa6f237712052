#!/bin/sh
# A client of event streams on curl; prints the data of all messages.
last=$(mktemp)

while :; do
    curl --silent --no-buffer --get "$HTTP_URL/v1.0/sse" --data-urlencode "topics=$TOPIC" \
        --header "Authorization: Bearer $TOKEN" --header "Last-Event-ID: $(cat "$last")" |
        while IFS= read -r line; do
            case $line in
                id:*) id=${line#id: } ;;
                # Now and not before: the connection may end between these lines.
                data:*) echo "${line#data: }" && echo "$id" > "$last" ;;
            esac
        done
    sleep 0.1
done
