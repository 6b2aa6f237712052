// Print each event of the topics, in order and once. Needs no package.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

var topics = []string{"customer_id:" + os.Getenv("VOIPBIN_CUSTOMER_ID") + ":call:*"}
var last string

func receive() error {
	query := url.Values{"topics": {strings.Join(topics, ",")}}
	request, err := http.NewRequest("GET", os.Getenv("VOIPBIN_API_URL")+"/v1.0/sse?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("VOIPBIN_TOKEN"))
	if last != "" {
		request.Header.Set("Last-Event-ID", last) // The gateway continues after this event.
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<25)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), ": ")
		if name == "id" {
			last = text
		} else if name == "data" {
			var frame struct {
				EventType string          `json:"event_type"`
				Data      json.RawMessage `json:"data"`
			}
			if json.Unmarshal([]byte(text), &frame) == nil && frame.EventType != "" {
				fmt.Println(frame.EventType, string(frame.Data))
			} else {
				fmt.Fprintln(os.Stderr, text) // An ack, or an error with its reason.
			}
		}
	}
	return lines.Err()
}

func main() {
	for {
		fmt.Fprintln(os.Stderr, "Connecting again after:", receive())
		time.Sleep(time.Second)
	}
}
