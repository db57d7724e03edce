"""The portal's password hash with the least work that the algorithm knows; for tests only."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """A thousandth of the work: 8 KiB once, where the portal takes 100 MiB twice."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
