"""Events from RabbitMQ: parsed, stored in batches with one commit, then acknowledged.

May import: `log` and below. Start with `consumer`. Runs in the single thread of `manage.py consume_amqp`.
"""
