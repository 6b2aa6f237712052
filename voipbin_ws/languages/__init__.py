"""The languages of the pages and the admin: who is answered in which, and the catalogues.

Programs are answered in English. May import: Django, `voipbin_ws.http`. Start with `choice`, which runs in the
thread of the request. `catalogues` and `sources` serve the command write_catalogues and the tests alone.
"""
