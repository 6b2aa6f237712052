"""The modules of examples/auto_responder.py.

`rules` and `messages` decide which text gets which reply, `store` keeps cursor, opt-outs and replies in one SQLite
transaction, `gateway` receives messages and `platform` sends replies. All run in the event loop of the program.
"""
