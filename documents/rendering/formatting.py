"""How money, accounts and days are written, in the reader's language."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format

CENTS = Decimal("0.01")


def money(amount: Decimal, currency: str = "") -> str:
    """1.234,56 EUR in Dutch and German, 1,234.56 EUR in English; thousandths only where needed."""
    places = 2 if amount == amount.quantize(CENTS) else 3
    digits = number_format(abs(amount), places, use_l10n=True, force_grouping=True)
    sign = "−" if amount < 0 else ""
    return f"{sign}{digits} {currency}".rstrip().replace(" ", "\u00a0")


def change(amount: Decimal) -> str:
    """An amount that comes in or goes out: its sign is always written."""
    return f"+{money(amount)}" if amount > 0 else money(amount)


def plain(number: Decimal) -> str:
    """A quantity or a rate, without the zeros at its end."""
    short = number.normalize()
    places = max(0, -int(short.as_tuple().exponent))
    return str(number_format(short, places, use_l10n=True, force_grouping=True))


def in_fours(account: str) -> str:
    """An IBAN as people read it; other account numbers as they are."""
    if not (account[:2].isalpha() and account[2:4].isdigit()):
        return account
    return " ".join(account[at : at + 4] for at in range(0, len(account), 4))
