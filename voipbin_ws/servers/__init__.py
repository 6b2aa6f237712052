"""The server processes: the ASGI application, daphne and uvicorn, and their adapters for ready-made frames.

Start with `run`, which starts a server and stops it in order. Runs in the main thread and its event loop.
"""
