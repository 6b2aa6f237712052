"""Clients and a publisher as programs of their own, which the drill of all kinds of clients runs."""
