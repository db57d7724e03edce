"""Numbers with correct check digits that no company or bank in Belgium can have."""

HIGHEST_SERIAL = 9_999


def company_number(serial: int) -> str:
    """An enterprise number that begins with 0010: real ones begin higher.

    The last two digits are 97 − (first eight mod 97). A serial outside 0 to 9,999 is refused: its
    number would leave the 0010 range.
    """
    if not 0 <= serial <= HIGHEST_SERIAL:
        raise ValueError(f"serial {serial} is not between 0 and {HIGHEST_SERIAL}")
    first = 100_000 + serial
    return f"{first:08d}{97 - first % 97:02d}"


def iban(serial: int) -> str:
    """A Belgian IBAN that passes the international check and fails the Belgian inner one.

    International (ISO 13616): the whole is 1 mod 97. Belgian: the last two digits of the account
    are the first ten mod 97 (00 is written 97); here they are one off.
    """
    first = f"{9_710_000_000 + serial:010d}"
    inner = (int(first) % 97 + 1) % 97 or 97
    account = f"{first}{inner:02d}"
    check = 98 - int(f"{account}111400") % 97  # "BE00" as numbers: B=11, E=14
    return f"BE{check:02d}{account}"


def structured_communication(serial: int) -> str:
    """Twelve digits: ten and their remainder mod 97 (00 is written 97)."""
    return f"{serial:010d}{serial % 97 or 97:02d}"
