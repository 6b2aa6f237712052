"""The tests, in folders that mirror the apps; journeys, faults and browser run the real gateway in processes."""
