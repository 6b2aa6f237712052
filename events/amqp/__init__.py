"""Events from RabbitMQ: reading its messages, storing them in batches, and staying through its and our outages."""
