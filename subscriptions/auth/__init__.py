"""Credentials and the identities they prove, and the throttle of log-in attempts.

May import: `protocol`, `models`, `delivery`. Start with `authentication`. Runs in threads that may use the database.
"""
