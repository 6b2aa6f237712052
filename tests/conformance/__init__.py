"""One suite for every client: cases in JSON, a server that plays them, and a runner for each client."""
