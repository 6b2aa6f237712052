"""Logging in and out, passwords, and the audit records of what people change.

May import: `auth`, `audit`, `models`, `protocol`. Start with `changes`, which writes the records. Runs in request
threads; `failed_logins` is flushed by a task of the runtime.
"""
