"""What the tests run the real parts with: Redis, PostgreSQL, Chromium and the gateway itself, each a private one."""
