"""Preparation of a machine for the gateway and its tests; never imported by the gateway."""
