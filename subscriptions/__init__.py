"""Who listens: credentials, sockets, subscriptions, and the record of them."""
