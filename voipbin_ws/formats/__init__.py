"""How times and dates are written on the pages."""
