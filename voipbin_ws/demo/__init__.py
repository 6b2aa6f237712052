"""The demo of `make run`: a gateway with a seeded database, and simulators.

Start with the command `demo`. Its processes are a gateway, two simulators and the auto-responder.
"""
