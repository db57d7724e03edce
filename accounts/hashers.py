"""How people's passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """19 MiB twice in one lane: what OWASP asks for at least (Password Storage), 15 ms of CPU.

    Django's own 100 MiB in eight lanes take ten times as long, and 32 people who log in at once
    3 GiB: that stops the office, not the guesser. Older hashes are renewed at the next login.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
