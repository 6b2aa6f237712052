"""The composition root: settings, addresses, servers, pages."""

__version__ = "1.0.0"
