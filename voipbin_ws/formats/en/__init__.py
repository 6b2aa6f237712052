"""English, which is all that the pages speak."""
