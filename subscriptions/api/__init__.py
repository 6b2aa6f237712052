"""REST views: log-in, own permissions, agent status, platform actions, Explain.

May import: everything but `admin`. Start with `login`. Runs in the thread of the request.
"""
