"""The conformance suite of the clients: cases, a scripted server, a runner for each."""
