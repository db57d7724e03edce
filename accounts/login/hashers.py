"""How people's passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """19 MiB twice in one lane: the minimum of OWASP (Password Storage), 15 ms of CPU.

    Django's own 100 MiB in eight lanes take ten times as long. When 32 people log in at the same
    time, they take 3 GiB. That would stop the office, not an attacker. Older hashes are renewed at
    the next login.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
