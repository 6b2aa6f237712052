"""Admin pages of calls: events and states with their call, its timeline, its end."""
