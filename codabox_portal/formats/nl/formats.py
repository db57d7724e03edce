"""Days and hours as Flanders writes them: 26 november 2026 om 14.02 uur."""

DATE_FORMAT = "j F Y"
TIME_FORMAT = "G.i"
DATETIME_FORMAT = r"j F Y \o\m G.i \u\u\r"
