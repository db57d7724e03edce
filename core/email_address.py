"""E-mail addresses: one spelling to store and compare, another to read.

A domain with other letters than a to z has two spellings: people write "bücher.example", and some
browsers and all mail servers write "xn--bcher-kva.example" (an A-label, RFC 5890).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import idna
from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

# Django's own words follow other rules than ours.
EMAIL_ERRORS = {"invalid": _("Enter an email address such as name@office.be.")}


def canonical_email(address: str) -> str:
    """The address with its domain in lower case and in A-labels, as it is stored and compared."""
    local, at, domain = address.strip().rpartition("@")
    try:
        domain = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:  # no domain name, such as "[192.0.2.1]"
        domain = domain.lower()
    return f"{local}{at}{domain}"


def readable_email(address: str) -> str:
    """The address as people write it."""
    local, at, domain = address.rpartition("@")
    try:
        domain = idna.decode(domain)
    except idna.IDNAError:
        return address
    return f"{local}{at}{domain}"


if TYPE_CHECKING:
    EmailField = models.EmailField[str, str]
else:
    EmailField = models.EmailField


class CanonicalEmailField(EmailField):
    """An e-mail address that is stored and searched in its canonical spelling."""

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        value = self.get_prep_value(super().pre_save(instance, add))
        setattr(instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return canonical_email(value) if isinstance(value, str) else value


class CanonicalEmailFormField(forms.EmailField):
    """A form field that accepts every spelling and returns the canonical one."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return canonical_email(value) if value else value
