"""Logging in and out, passwords, and the audit records of what people change.

May import: `auth`, `audit`, `models`, `protocol`. Start with `changes`, which writes the records. Runs in request
threads; the repeats of `logins` are recorded by a task of the runtime.
"""
