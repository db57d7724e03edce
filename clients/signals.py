"""Rung after the commit of an event that the Admins of its office must hear of."""

from django.dispatch import Signal

# Sent with `event_id`.
client_told = Signal()
