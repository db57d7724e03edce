"""Sessions without the login: for tests of what comes after it."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import User


def session_of(person: User) -> Session:
    """A session as the login makes it, with a proof of identity of now; not saved."""
    now = time.time()
    data = {
        SESSION_KEY: str(person.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: person.get_session_auth_hash(),
        "began_at": now,
        "active_at": now,
        "account_authentication_methods": [{"method": "password", "at": now}],
    }
    until = timezone.now() + timedelta(days=1)
    encoded = SessionStore().encode(data)
    return Session(session_key=uuid.uuid4().hex, session_data=encoded, expire_date=until)
