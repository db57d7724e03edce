"""Days and hours as French-speaking Belgium writes them: 26 novembre 2026 à 14 h 02."""

DATE_FORMAT = "j F Y"
TIME_FORMAT = "G\u00a0\\h\u00a0i"
DATETIME_FORMAT = "j F Y à G\u00a0\\h\u00a0i"
