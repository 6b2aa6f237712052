"""Benchmarks of the gateway and of other servers that do the same work."""
