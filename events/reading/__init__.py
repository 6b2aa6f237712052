"""Reading over HTTP: query parameters, paging, the event history and current states.

May import: `log` and below. Start with `queries`. `parameters` and `queries` are sans-I/O; the others run in the thread
of the request.
"""
