"""The REST interface of events: publishing, history, current states, and errors.

May import: everything in `events`. Start with `publish_request` and `views`. Views run in the thread of the request,
`publish_request` in the publishing threads of `voipbin_ws.http.publish_queue`.
"""
