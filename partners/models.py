"""Partners: accounting software, its applications, redirect addresses and certificates."""

from __future__ import annotations

import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AbstractApplication
from oauth2_provider.models import ApplicationManager as BaseApplicationManager

from core.document_kinds import TYPE_CHOICES, TYPES
from core.enterprise_number import validate_company_number
from core.sandbox import World
from core.triggers import Protect
from partners.logos import Logo
from partners.redirects import fault_of_registration, lies_on_origin

# How long the previous secret stays valid after a rotation.
ROTATION = timedelta(days=7)


class PartnerStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    RETIRED = "retired", _("Retired")


# The changes of state that an operator can make. A retired partner stays retired.
PARTNER_MOVES: dict[str, list[PartnerStatus]] = {
    PartnerStatus.DRAFT: [PartnerStatus.ACTIVE, PartnerStatus.RETIRED],
    PartnerStatus.ACTIVE: [PartnerStatus.SUSPENDED, PartnerStatus.RETIRED],
    PartnerStatus.SUSPENDED: [PartnerStatus.ACTIVE, PartnerStatus.RETIRED],
    PartnerStatus.RETIRED: [],
}


class Colour(models.TextChoices):
    """The background colours of initials, all dark enough for white letters."""

    BLUE = "blue"
    TEAL = "teal"
    GREEN = "green"
    ORANGE = "orange"
    RED = "red"
    PINK = "pink"
    PURPLE = "purple"
    SLATE = "slate"


class PartnerQuerySet(models.QuerySet["Partner"]):
    def active(self) -> PartnerQuerySet:
        return self.filter(status=PartnerStatus.ACTIVE)

    def listed(self) -> PartnerQuerySet:
        """The partners in the software directory."""
        return self.active().filter(listed=True)


class Partner(models.Model):
    """One accounting software and the company behind it, checked by an operator."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    vendor = models.CharField(_("vendor"), max_length=120)
    legal_number = models.CharField(
        _("enterprise number"), max_length=10, validators=[validate_company_number]
    )
    email = models.EmailField(_("email address"))
    website = models.URLField(_("website"), blank=True)
    connect_url = models.URLField(
        _("connection start page"),
        blank=True,
        help_text=_("The page where users start the connection. Shown in the software directory."),
    )
    logo = models.ForeignKey(Logo, models.PROTECT, null=True, editable=False, related_name="+")
    # The background of the initials, if there is no logo.
    colour = models.CharField(max_length=10, choices=Colour.choices, default=Colour.BLUE)
    status = models.CharField(
        max_length=9, choices=PartnerStatus.choices, default=PartnerStatus.ACTIVE
    )
    # A sandbox partner sees sandbox offices only; it stays what it is.
    kind = models.CharField(
        _("kind"), max_length=7, choices=World.choices, default=World.REAL, db_default=World.REAL
    )
    document_kinds = ArrayField(
        models.CharField(max_length=24, choices=TYPE_CHOICES), verbose_name=_("document types")
    )
    calls_per_minute = models.PositiveIntegerField(
        _("calls per minute"),
        null=True,
        blank=True,
        help_text=_("Leave empty to use the default limit of the portal."),
    )
    # Whether the software directory lists it; the portal's own probe is not listed.
    listed = models.BooleanField(default=True, db_default=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = PartnerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=PartnerStatus.values),
                name="partners_partner_known_status",
            ),
            models.CheckConstraint(
                condition=models.Q(colour__in=Colour.values),
                name="partners_partner_known_colour",
            ),
            models.CheckConstraint(
                condition=models.Q(document_kinds__contained_by=TYPES),
                name="partners_partner_known_kinds",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=World.REAL) | models.Q(kind=World.SANDBOX, listed=False),
                name="partners_partner_sandbox_is_not_listed",
            ),
        ]
        triggers = [
            Protect(
                name="keep_kind",
                operation=pgtrigger.UpdateOf("kind"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Condition("NEW.kind <> OLD.kind"),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def audience(self) -> str:
        """Whom the signatures of webhooks are for: its first client id."""
        first = self.applications.order_by("pk").values_list("client_id", flat=True).first()
        return first or str(self.uuid)

    @property
    def initials(self) -> str:
        """One or two letters for the monogram."""
        words = [word for word in self.name.split() if word[0].isalnum()]
        return "".join(word[0] for word in words[:2]).upper()

    def move(self, status: str) -> bool:
        """Change the state; False if the present state does not allow that."""
        sources = [source for source, targets in PARTNER_MOVES.items() if status in targets]
        moved = Partner.objects.filter(pk=self.pk, status__in=sources).update(status=status)
        self.refresh_from_db(fields=["status"])
        return bool(moved)

    def accepts_redirect(self, uri: str) -> bool:
        """Tell whether a browser may be sent to `uri`: registered exactly, or on an origin."""
        return any(
            lies_on_origin(uri, entry.uri) if entry.is_origin else uri == entry.uri
            for entry in self.redirect_uris.all()
        )


class RedirectUri(models.Model):
    """An address, or a whole origin, to which the partner's users may be sent back."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="redirect_uris")
    uri = models.CharField(_("address"), max_length=2000)
    is_origin = models.BooleanField(_("whole origin"), default=False)

    class Meta:
        verbose_name = "redirect address"
        verbose_name_plural = "redirect addresses"
        constraints = [
            models.UniqueConstraint(fields=["partner", "uri"], name="partners_redirecturi_once")
        ]

    def __str__(self) -> str:
        return self.uri

    def clean(self) -> None:
        fault = fault_of_registration(self.uri, is_origin=self.is_origin)
        if fault:
            raise ValidationError({"uri": fault})

    @property
    def host(self) -> str:
        return urlsplit(self.uri).netloc


class ClientCertificate(models.Model):
    """A certificate with which the partner may call, if the deployment asks for one."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="certificates")
    fingerprint = models.CharField(
        max_length=64,
        validators=[RegexValidator(r"^([0-9a-f]{40}|[0-9a-f]{64})$")],
        help_text=_("SHA-256 or, as nginx gives it, SHA-1; lower-case hex without colons"),
    )
    registered_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "fingerprint"], name="partners_clientcertificate_once"
            )
        ]

    def __str__(self) -> str:
        return self.fingerprint


class ApplicationManager(BaseApplicationManager):  # type: ignore[misc]
    """Reads the partner together with each application."""

    def get_queryset(self) -> models.QuerySet[Application]:
        found: models.QuerySet[Application] = super().get_queryset().select_related("partner")
        return found


class Application(AbstractApplication):  # type: ignore[misc]  # oauth-toolkit has no types
    """The credentials of a partner. oauth-toolkit issues and revokes the tokens.

    During a rotation two secrets are valid: the new one, and the previous one for a while.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="applications")
    secret_used_at = models.DateTimeField(null=True, editable=False)
    previous_secret = models.CharField(max_length=255, blank=True, default="", editable=False)
    previous_secret_until = models.DateTimeField(null=True, editable=False)
    previous_secret_used_at = models.DateTimeField(null=True, editable=False)

    objects = ApplicationManager()

    class Meta(AbstractApplication.Meta):  # type: ignore[misc]
        pass

    def __str__(self) -> str:
        return f"{self.partner} · {self.client_id}"

    def is_usable(self, request: object) -> bool:
        """A suspended partner may authenticate, so that the refusal can say why."""
        return self.partner.status in (PartnerStatus.ACTIVE, PartnerStatus.SUSPENDED)

    def rotate_secret(self, keep_for: timedelta = ROTATION) -> str:
        """Return a new secret, to be shown once. The secret in use stays valid for `keep_for`.

        If an older secret is still valid and the newer one was never used, the newer one is
        replaced at once. So two rotations in a row do not end the secret that software uses.
        """
        fresh: str = generate_client_secret()
        if not (keep_for and self.secret_used_at is None and self._previous_is_valid()):
            self.previous_secret = self.client_secret  # type: ignore[has-type]
            self.previous_secret_used_at = self.secret_used_at
            self.previous_secret_until = Now() + keep_for
        self.secret_used_at = None
        self.client_secret = fresh
        self.save()
        self.refresh_from_db()
        return fresh

    def _previous_is_valid(self) -> bool:
        until = self.previous_secret_until
        return until is not None and until > timezone.now()

    def revoke_secrets(self) -> None:
        """End both secrets and every access token at once. A new secret must be created."""
        with transaction.atomic():
            self.client_secret = generate_client_secret()  # nobody gets to know it
            self.previous_secret, self.previous_secret_until = "", None
            self.previous_secret_used_at = self.secret_used_at = None
            self.save()
            self.accesstoken_set.all().delete()

    @property
    def form_token(self) -> str:
        """A token for the form that changes the secret; it is invalid after the secret changed."""
        return salted_hmac("partners.secret_form", f"{self.pk} {self.client_secret}").hexdigest()

    def note_use(self, *, previous: bool = False) -> bool:
        """Record the last use of a secret; return whether that secret is valid now.

        A call of a partner that is not active changes nothing, so its use is not recorded.
        """
        mine = type(self).objects.filter(pk=self.pk)
        active = self.partner.status == PartnerStatus.ACTIVE
        if previous:
            valid = mine.filter(previous_secret_until__gt=Now())
            if not active:
                return bool(valid.exists())
            return bool(valid.update(previous_secret_used_at=Now()))
        # Once a minute is exact enough, and most tokens then cost no write.
        recently = timezone.now() - timedelta(minutes=1)
        if active and (self.secret_used_at is None or self.secret_used_at < recently):
            mine.update(secret_used_at=Now())
        return True
