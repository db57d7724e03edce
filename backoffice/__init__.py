"""The operators: people who run the portal. Their admin site and their tables.

No other app imports this one.
"""
