"""Check digits: right where they must be, wrong where that keeps a number from being real."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.data import numbers


@pytest.mark.parametrize("serial", [-1, 10_000, 899_999])
def test_a_serial_that_would_leave_the_range_of_unreal_numbers_is_refused(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        numbers.company_number(serial)


@given(st.integers(min_value=0, max_value=2_000_000))
def test_an_iban_differs_from_a_possible_account_in_the_inner_check_alone(serial: int) -> None:
    account = numbers.iban(serial)[4:]
    assert re.fullmatch(r"\d{12}", account)
    right = int(account[:10]) % 97 or 97
    assert int(account[10:]) == (right % 97) + 1


@given(st.integers(min_value=0, max_value=10**10 - 1))
def test_a_structured_communication_is_correct(serial: int) -> None:
    digits = numbers.structured_communication(serial)
    assert re.fullmatch(r"\d{12}", digits)
    assert int(digits[10:]) == (int(digits[:10]) % 97 or 97)
