"""Data that looks real and can never be mistaken for real; pure Python, the same every time."""
