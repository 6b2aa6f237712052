"""The control API: REST views of customers, queues, agents, access keys, opt-outs.

May import: everything but `admin`. Start with `views`. Runs in the thread of the request.
"""
