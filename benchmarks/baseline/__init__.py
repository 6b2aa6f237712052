"""A small Django Channels project as usually written, which the gateway is compared with."""
