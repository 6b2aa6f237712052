"""HTTP around the views: the publish endpoint, Django's handler, request log, security headers, error pages.

Start with `publish_endpoint`. The endpoints are called in the event loop; Django's requests run in worker threads.
"""
