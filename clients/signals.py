"""Sent after the commit of an event about which the Admins of its office get an e-mail."""

from django.dispatch import Signal

# Sent with `event_id`.
client_event_written = Signal()
