"""The quotas of customers and keys, and rate limits.

Sans-I/O. May import: nothing. Start with `limits`. `log.publish_rates` keeps the state of a process, `log.publish`
checks stored bytes under the lock, and `subscriptions.presence` counts connections.
"""
