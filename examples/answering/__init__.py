"""What examples/auto_responder.py is made of."""
