"""The demo: a contact centre to look at, a gateway that serves it and simulators that publish its life."""
