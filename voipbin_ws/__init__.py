"""The composition root: settings, addresses, servers, pages."""
