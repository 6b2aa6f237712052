"""What the data of each event type contains: one typed source for schemas, validation, documents and clients.

Sans-I/O. Start reading at `catalogue`: `fields` is its vocabulary, `schema` makes JSON Schemas of it, and `validation`
compares an event's data with it. The package imports nothing.
"""
