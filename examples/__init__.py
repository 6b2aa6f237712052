"""Example programs to copy."""
