"""The sealed audit log: records, the chain of digests over them, and their storage.

May import: `protocol`, `models`. Start with `writer`. The writer runs in the event loop and stores in a worker thread;
`chain` is sans-I/O.
"""
