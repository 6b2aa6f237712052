"""Requests to the phone platform: its client, agents' statuses, and opt-outs of messages.

May import: `models`, `events`. Start with `client`. Runs in the thread of the request.
"""
