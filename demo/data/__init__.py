"""Data that looks real but cannot be real; pure Python, the same in every run."""
