"""Admin pages of agents, with their users and statuses."""
