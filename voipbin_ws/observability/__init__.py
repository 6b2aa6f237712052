"""Metrics, health and logs of a process.

Start with `metrics`. Metrics are collected in the event loop; log lines are written in the thread that logs.
"""
