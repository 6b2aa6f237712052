"""What happened: events, the customers' logs, and the ways in."""
