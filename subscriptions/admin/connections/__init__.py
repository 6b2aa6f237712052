"""Admin pages of live connections: list, filters, and closing a connection."""
