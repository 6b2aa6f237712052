"""Formats of times and dates on the pages."""
