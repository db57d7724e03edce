"""Bodies in and out: they check what software sends and describe themselves to drf-spectacular."""
