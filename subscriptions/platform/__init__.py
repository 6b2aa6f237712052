"""Requests to the phone platform, and the opt-outs that it must respect.

May import: `models`, `events`. Start with `client`. Runs in the thread of the request.
"""
