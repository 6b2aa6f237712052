"""Events from RabbitMQ: messages are parsed, stored in batches with one commit, and acknowledged after it.

May import: `log` and below. Start with `consumer`. Runs in the single thread of `manage.py consume_amqp`.
"""
