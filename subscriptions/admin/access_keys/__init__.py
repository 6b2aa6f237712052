"""Admin pages of access keys: list, form, rotation, and snippets that use a new key."""
