"""Rate limits begin anew with every test: all its people come from one address."""

import uuid
from typing import Any

import pytest
from django.conf import settings as configured


@pytest.fixture(autouse=True)
def _own_limits(settings: Any) -> None:
    caches = {name: dict(cache) for name, cache in configured.CACHES.items()}
    caches["default"]["KEY_PREFIX"] = uuid.uuid4().hex
    settings.CACHES = caches
