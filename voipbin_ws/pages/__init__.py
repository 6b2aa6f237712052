"""The pages of the gateway: dashboard, agent desktop and API documentation.

Start with `views`. Runs in the thread of the request.
"""
