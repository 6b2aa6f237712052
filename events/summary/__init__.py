"""The summary: what queues and agents of a customer do now and did today. Sans-I/O.

May import: `domain`. Start with `fold`: it takes the events of the log in their order, as the fold of states saw them,
and returns the figures of any moment after them. `service_breaches` decides when a queue misses its target.
"""
