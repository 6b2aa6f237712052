"""A believable contact centre: plain modules decide what happens, running.py and publisher.py publish it."""
