"""The REST interface of events: publishing, history, current states, and the shape of all errors.

May import: everything in `events`. Start with `views`. Runs in the thread of the request; publishing in the single
publishing thread.
"""
