"""HTTP around the views: publish endpoint, Django's handler, log, headers, error pages.

May import: everything in `events` and `subscriptions`. Start with `publish_endpoint`. The endpoint and the handler are
called in the event loop; publish requests and Django's requests run in threads, `loop_responses` needs none.
`connections` and `request_body` have the limits of what a client can hold.
"""
