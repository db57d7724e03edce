"""The signal after each consent event: sent once its transaction is committed, with its number.

The receivers are in notifications/receivers.py. A receiver reads the event row. One that fails
never disturbs the person who decided.
"""

from django.dispatch import Signal

consent_event_written = Signal()  # event_id
