"""Who subscribes: credentials, connections, subscriptions, and the audit log of them."""
