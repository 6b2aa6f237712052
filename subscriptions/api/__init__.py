"""The REST interface of people and connections: log-in, own rights, agent status, actions, Explain.

May import: everything but `admin`. Start with `login`. Runs in the thread of the request.
"""
