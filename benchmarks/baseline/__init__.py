"""A small Django Channels project as it is usually written: the yardstick that the gateway is compared with."""
