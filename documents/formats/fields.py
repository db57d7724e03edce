"""What every format writes in its own way and means the same: numbers of companies and accounts."""

from __future__ import annotations

import re

IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}")
PERIOD = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
CURRENCY = re.compile(r"[A-Z]{3}")


def is_iban(text: str) -> bool:
    """Tell whether the check digits fit (ISO 13616: the whole is 1 mod 97).

    Rules of single countries are not asked: an account that a bank names is an account.
    """
    if not IBAN.fullmatch(text):
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def belgian_iban(account: str) -> str | None:
    """The IBAN of twelve digits of a Belgian account, None where their check digits are wrong."""
    if int(account[:10]) % 97 != int(account[10:]) % 97 or not 1 <= int(account[10:]) <= 97:
        return None
    return f"BE{98 - int(f'{account}111400') % 97:02d}{account}"


def between_pluses(digits: str) -> str | None:
    """Twelve digits as a structured communication, None where their remainder is wrong."""
    if (int(digits[:10]) % 97 or 97) != int(digits[10:]):
        return None
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"
