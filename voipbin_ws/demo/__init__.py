"""The demo, run by `make run`: a gateway with a seeded database, and simulators that publish to it.

Start with the command `demo`. Its processes are a gateway, two simulators and the auto-responder.
"""
