"""The agreed data of each event type: one typed source.

Sans-I/O. Schemas, validation, documents and the clients' types are made of it. Start reading at `catalogue`: `fields`
is its vocabulary, `schema` makes JSON Schemas of it, and `validation` compares an event's data with it. The package
imports nothing of the others.
"""
