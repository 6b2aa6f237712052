"""Times to the second, as in the logs."""

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "d.m.Y H:i:s"
DATE_FORMAT = SHORT_DATE_FORMAT = "d.m.Y"
TIME_FORMAT = "H:i:s"
