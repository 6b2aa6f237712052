"""The simulated phone platform of the demo: its contact centre, its API and its publisher.

May import: `model`, `events`. Start with `runner`. Runs in a process of its own, `manage.py simulate`.
"""
