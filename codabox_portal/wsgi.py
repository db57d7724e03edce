"""The web process: what granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codabox_portal.settings")
# A database that hangs must not hang the callers: they get 503 and come back (PostgreSQL's own
# variable, so that jobs and migrations, which may take longer, are left alone).
os.environ.setdefault("PGOPTIONS", "-c statement_timeout=4000")
application = get_wsgi_application()
