"""What readies a machine for the gateway and its tests; nothing here is imported by the gateway itself."""
