"""Events: the customers' logs of them, publishing, and reading."""
