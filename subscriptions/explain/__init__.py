"""Explain: why an event reached a receiver or did not, from the log and the audit log.

May import: `audit`, `auth`, `presence` and below. Start with `evidence`, which collects, and `diagnosis`, which
decides without I/O. Runs in the thread of the request or command.
"""
