"""What the gateway costs, measured beside what else does the same work; see docs/performance.md."""
