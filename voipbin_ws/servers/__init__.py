"""The server processes: the ASGI application, and daphne and uvicorn with their adapters.

Start with `run`, which starts a server and stops it in order. Runs in the main thread and its event loop.
"""
