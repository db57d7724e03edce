"""Offices to try things at: made by software of the sandbox, and decided by it."""
