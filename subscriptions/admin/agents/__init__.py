"""Admin pages of agents, with their log-in and status."""
