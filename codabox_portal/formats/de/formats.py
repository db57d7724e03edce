"""Days and hours as German-speaking Belgium writes them: 26. November 2026, 14:02 Uhr."""

DATE_FORMAT = "j. F Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = r"j. F Y, H:i \U\h\r"
