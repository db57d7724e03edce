"""Name a browser in two words: `Firefox (Windows)` instead of its User-Agent header."""

from __future__ import annotations

# The first name that the header contains counts: most browsers also name an older one.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def name_of_user_agent(user_agent: str) -> str:
    """Browser and system; if neither is known, the beginning of the header."""
    found = [
        next((name for mark, name in names.items() if mark in user_agent), "")
        for names in (BROWSERS, SYSTEMS)
    ]
    browser, system = found
    if browser and system:
        return f"{browser} ({system})"
    return browser or system or user_agent[:80]
