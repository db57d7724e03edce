"""The settings of the portal itself, but for its passwords: Argon2 is slow on purpose.

Tests log in some hundred times. What is about the hash itself takes the portal's own, see
tests/accounts/test_guessing.py, and so do the processes of tests/deployment.
"""

import os

from codabox_portal.settings import *  # noqa: F403
from codabox_portal.settings import DATABASES, PASSWORD_HASHERS

PASSWORD_HASHERS = ["tests.hashers.QuickArgon2", *PASSWORD_HASHERS[1:]]

# The whole suite comes from one address, and logs more people in than a big office at nine.
ACCOUNT_RATE_LIMITS = {**ACCOUNT_RATE_LIMITS, "login": "3000/m/ip"}  # noqa: F405

# The test databases are copies of one that is migrated already. The processes of the
# portal that the tests start know no owner.
if "owner" in DATABASES:
    DATABASES["owner"]["TEST"] = {"TEMPLATE": os.environ.get("PORTAL_TEST_TEMPLATE")}
