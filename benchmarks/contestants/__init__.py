"""The measured servers: the gateway, usual Channels, brokers, and a loop of send()."""
