"""Presence: which connections and processes are alive, stored as leases that expire.

May import: `audit`, `auth`, `delivery`, `models`, `protocol`. Start with `heartbeat`. The heartbeat runs in the event
loop and writes in a worker thread.
"""
