"""Checked, audited changes of customers, queues, agents, access keys and opt-outs.

The control API and `manage.py control_import` use them; the admin pages share their checks. May import:
everything but `api`, `admin` and `management`. Start with `resource`. Runs in the thread of the request.
"""
