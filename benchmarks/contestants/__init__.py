"""Who is measured: the gateway, Channels as usually written, brokers, and a loop of send()."""
