"""Publishing events to a gateway: in order, in batches, each stored once.

Start reading at `publisher`. `batches` is its queue and `answers` reads what the gateway answers, both without I/O.
"""
