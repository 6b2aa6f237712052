"""Admin pages of the audit log: list, CSV export, and the Explain page."""
