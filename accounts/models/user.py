"""A person who logs in."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from core.email_address import CanonicalEmailField

LANGUAGES = [("en", "English"), ("nl", "Nederlands"), ("fr", "Français"), ("de", "Deutsch")]


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in: office staff through memberships, an operator when `is_staff`."""

    email = CanonicalEmailField(_("email address"))
    name = models.CharField(_("name"), max_length=120)
    # Empty: the language of the browser.
    language = models.CharField(max_length=2, choices=LANGUAGES, blank=True, default="")
    # The e-mails that the person switched off; see accounts.notification_preferences.
    muted_notifications = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(_("operator"), default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_user_one_per_email")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_session_auth_hash(self) -> str:
        """What a session keeps of the password: a new password ends it, a new secret does not.

        Django's own hash is made with the secret. A host with another secret would give the session
        a new key, and requests under way with the former key would meet the login page. Whatever
        stands in a session is signed with the secret already.
        """
        return sha256(b"accounts.session:" + self.password.encode()).hexdigest()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return iter(())


def second_factors(person: str | int) -> models.QuerySet[Authenticator]:
    """Authenticator apps and passkeys of a person; recovery codes alone are no second factor."""
    owner = models.OuterRef(person) if isinstance(person, str) else person
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    found: models.QuerySet[Authenticator] = Authenticator.objects.filter(
        user_id=owner, type__in=kinds
    )
    return found
