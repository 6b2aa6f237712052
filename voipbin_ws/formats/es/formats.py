"""Times to the second, as in the logs; numbers as `Intl` of the pages writes them."""

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "d/m/Y H:i:s"
DATE_FORMAT = SHORT_DATE_FORMAT = "d/m/Y"
TIME_FORMAT = "H:i:s"
THOUSAND_SEPARATOR = "."
