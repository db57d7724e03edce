"""Backup and restore: what `manage.py backup` and `manage.py restore` do."""
