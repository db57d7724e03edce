"""Ledgerly, a small accounting software: an example that uses nothing but the public API."""
