"""Create the accounting software and the office with which the stop probe measures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models.functions import Now
from oauth2_provider.generators import generate_client_id, generate_client_secret

from accounts.models import Office
from clients.models import Client
from consents.models import Consent
from core.document_kinds import Kind
from partners.models import Application, Partner

NAME = "Probe of this portal"
# No company has a number that begins with 0010.
OFFICE, COMPANY = "0010999996", "0010999897"


class Command(BaseCommand):
    help = "Create the probe that measures how fast a suspension works, or give it a new secret."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            partner = self._partner()
            office = self._office()
            software, secret = self._credentials(partner)
            consent, _created = Consent.objects.request(office=office, partner=partner)
        self.stdout.write("1. Put these two into the environment of the workers; the secret is")
        self.stdout.write("   shown this once:")
        self.stdout.write(f"PORTAL_PROBE_CLIENT={software.client_id}")
        self.stdout.write(f"PORTAL_PROBE_SECRET={secret}")
        self.stdout.write(f"2. In /admin, Offices, “{NAME}”, State: invite yourself as its Admin.")
        self.stdout.write("3. As that Admin, allow the request, unless it is allowed already:")
        self.stdout.write(f"CONFIRMATION_URI={settings.PORTAL_URL}/consent/{consent.uuid}")

    def _partner(self) -> Partner:
        partner, _created = Partner.objects.get_or_create(
            name=NAME,
            defaults={
                "vendor": settings.PORTAL_NAME,
                "legal_number": OFFICE,
                "email": settings.PORTAL_SUPPORT_EMAIL,
                "document_kinds": [Kind.BANK_ACCOUNT_STATEMENT.row.type],
                "listed": False,
            },
        )
        return partner

    def _office(self) -> Office:
        office, _created = Office.objects.get_or_create(
            company_number=OFFICE, defaults={"name": NAME, "slug": "probe-of-this-portal"}
        )
        Client.objects.get_or_create(
            office=office,
            company_number=COMPANY,
            defaults={"name": NAME, "code": "PROBE", "confirmed_at": Now()},
        )
        return office

    def _credentials(self, partner: Partner) -> tuple[Application, str]:
        known = Application.objects.filter(partner=partner).first()
        if known is not None:
            return known, known.rotate_secret(keep_for=timedelta(0))
        secret = str(generate_client_secret())
        made = Application.objects.create(
            partner=partner,
            name=NAME,
            client_id=generate_client_id(),
            client_secret=secret,
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        )
        return made, secret
