"""A Django app for the latency measurement alone: it writes down when each event's commit was over."""
