"""Credentials: tokens and access keys, the identity they prove, and the limit on log-in attempts.

May import: `protocol`, `models`, `delivery`. Start with `authentication`. Runs in threads that may use the database.
"""
