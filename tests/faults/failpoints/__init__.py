"""A Django app that breaks the gateway on purpose, in a server process that a drill starts with it.

The gateway's own code has no switches for it: a drill starts it with `DJANGO_SETTINGS_MODULE` set to this package's
settings, and names in `FAILPOINTS` what is to be broken.
"""
