"""Drills: the gateway under faults, judged by one oracle."""
