"""What do the people who run the portal see and do? Their admin site; no room imports it."""
