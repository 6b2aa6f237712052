"""Metrics, health and logs.

Start with `metrics`. Collectors run in the thread of the scrape.
"""
