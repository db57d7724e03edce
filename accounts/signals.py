"""Signals that accounts sends, so that apps above it and its e-mails can react."""

from django.dispatch import Signal

# Sent with `person` before their name is removed, in the same transaction. An app that has a copy
# of the name replaces it by `pseudonym`.
person_anonymised = Signal()

# Sent with `event`, in the transaction that wrote it.
office_event_written = Signal()

# Sent with `invitation`, `event`, `seed` and `next_path` when an invitation has a new link, in the
# same transaction. The key of the link follows from the seed.
invitation_link_made = Signal()
