"""The one bell: rung after the commit of every event of a consent, with its number only.

Whoever listens reads the event row; a listener that fails never disturbs the one who decided.
"""

from django.dispatch import Signal

consent_moved = Signal()  # event_id
