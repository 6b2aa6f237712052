"""A Django app for the latency measurement: it records the time of each commit."""
