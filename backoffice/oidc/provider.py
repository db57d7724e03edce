"""What the portal asks an OpenID provider, and what it believes: the code flow with PKCE.

An ID token counts only if the provider signed it, for this portal, for this login and for now.
Nothing is kept between two logins: there are few, and the provider may change its keys.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypedDict
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from django.conf import settings
from django.utils.crypto import constant_time_compare
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jws import JWS

# Only signatures that need the private key of the provider.
SIGNATURES = ["RS256", "PS256", "ES256"]
TIMEOUT = 5  # seconds, for each call
LEEWAY = 60  # seconds that two clocks may differ
LONGEST_ATTEMPT = 600  # seconds that somebody may take at the provider


class ProviderFailed(Exception):
    """The provider does not answer, or not as it must; the message is for the logs."""


class LoginRejected(Exception):
    """What came back does not prove a login here; the message is for the logs."""


class LoginAttempt(TypedDict):
    """A login that somebody began, as the session keeps it until the browser comes back."""

    state: str
    nonce: str
    verifier: str
    next: str
    at: float


class Identity(NamedTuple):
    """Who logged in, in the words of the provider; `email` is empty if it is not verified."""

    issuer: str
    subject: str
    email: str


def is_on() -> bool:
    """Return whether this deployment names a provider."""
    return bool(settings.PORTAL_OPERATOR_OIDC_ISSUER)


def begin(wanted: str) -> LoginAttempt:
    """Return the secrets of a new login, after which the browser goes on to `wanted`."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _secret in range(3))
    return {"state": state, "nonce": nonce, "verifier": verifier, "next": wanted, "at": time.time()}


@dataclass(frozen=True)
class Provider:
    """The provider of the settings, as it describes itself now."""

    issuer: str
    described: dict[str, Any]

    @classmethod
    def ask(cls) -> Provider:
        """Read how the provider describes itself. Raises ProviderFailed."""
        issuer = settings.PORTAL_OPERATOR_OIDC_ISSUER
        described = _call("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != issuer:
            raise ProviderFailed(f"it calls itself {described.get('issuer')!r}")
        return cls(issuer, described)

    def login_address(self, attempt: LoginAttempt, back: str) -> str:
        """Return where the browser goes; `back` is the address to which it comes back."""
        digest = hashlib.sha256(attempt["verifier"].encode()).digest()
        question = {
            "response_type": "code",
            "client_id": settings.PORTAL_OPERATOR_OIDC_CLIENT_ID,
            "redirect_uri": back,
            "scope": "openid email",
            "state": attempt["state"],
            "nonce": attempt["nonce"],
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        address = self._endpoint("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(question)}"

    def identity(self, code: str, attempt: LoginAttempt, back: str) -> Identity:
        """Return who logged in, for the code that the browser brought.

        Raises ProviderFailed or LoginRejected.
        """
        answer = self._redeem(code, attempt, back)
        claims = self._claims(str(answer.get("id_token", "")), attempt["nonce"])
        if "email" not in claims and "userinfo_endpoint" in self.described:
            bearer = {"Authorization": f"Bearer {answer.get('access_token', '')}"}
            about = _call("GET", self._endpoint("userinfo_endpoint"), headers=bearer)
            if about.get("sub") != claims["sub"]:
                raise LoginRejected("userinfo is about somebody else")
            claims = about | claims
        is_verified = claims.get("email_verified") is True
        email = str(claims.get("email", "")) if is_verified else ""
        return Identity(self.issuer, claims["sub"], email)

    def _redeem(self, code: str, attempt: LoginAttempt, back: str) -> dict[str, Any]:
        """Exchange the code for tokens, with the client secret as the provider wants it."""
        client = (
            settings.PORTAL_OPERATOR_OIDC_CLIENT_ID,
            settings.PORTAL_OPERATOR_OIDC_CLIENT_SECRET,
        )
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": attempt["verifier"],
        }
        # The default of OpenID Connect Discovery is HTTP Basic, with both form-encoded first.
        known = self.described.get("token_endpoint_auth_methods_supported")
        if known and "client_secret_basic" not in known:
            names = dict(zip(("client_id", "client_secret"), client, strict=True))
            return _call("POST", self._endpoint("token_endpoint"), data=form | names)
        name, secret = map(quote_plus, client)
        return _call("POST", self._endpoint("token_endpoint"), data=form, auth=(name, secret))

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """Return what the ID token says, after every check of OpenID Connect Core, 3.1.3.7."""
        claims = self._signed(token)
        if claims.get("iss") != self.issuer:
            raise LoginRejected("the token is of another issuer")
        client = settings.PORTAL_OPERATOR_OIDC_CLIENT_ID
        audience = claims.get("aud")
        if client not in (audience if isinstance(audience, list) else [audience]):
            raise LoginRejected("the token is for another audience")
        if claims.get("azp", client) != client or (
            isinstance(audience, list) and len(audience) > 1 and "azp" not in claims
        ):
            raise LoginRejected("the token was given to another party")
        now = time.time()
        if not _is_time(claims.get("exp")) or claims["exp"] + LEEWAY < now:
            raise LoginRejected("the token has expired")
        if not _is_time(claims.get("iat")) or not -LEEWAY < now - claims["iat"] < LONGEST_ATTEMPT:
            raise LoginRejected("the token was not made just now")
        if not constant_time_compare(str(claims.get("nonce", "")), nonce):
            raise LoginRejected("the token is of another login")
        if not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
            raise LoginRejected("the token names nobody")
        return claims

    def _signed(self, token: str) -> dict[str, Any]:
        """Return what stands in the token, if a key of the provider signed it."""
        found = _call("GET", self._endpoint("jwks_uri"))
        try:
            # Keys of other kinds, or for another use, may be in the list as well.
            keys = [
                key
                for key in found["keys"]
                if key["kty"] in ("RSA", "EC") and key.get("use", "sig") == "sig"
            ]
            signed = JWS()
            signed.allowed_algs = SIGNATURES
            signed.deserialize(token)
            signed.verify(JWKSet.from_json(json.dumps({"keys": keys})))
            claims = json.loads(signed.payload)
        except (JWException, ValueError, TypeError, KeyError) as error:
            raise LoginRejected(f"the token is not signed by the provider: {error!r}") from error
        if not isinstance(claims, dict):
            raise LoginRejected("the token says nothing")
        return claims

    def _endpoint(self, name: str) -> str:
        """Return an address from the description; never http where the issuer has https."""
        address = self.described.get(name)
        if not isinstance(address, str) or urlsplit(address).scheme not in (
            "https",
            urlsplit(self.issuer).scheme,
        ):
            raise ProviderFailed(f"its {name} is {address!r}")
        return address


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _call(
    method: Literal["GET", "POST"],
    url: str,
    *,
    headers: dict[str, str] | None = None,
    data: dict[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return the JSON object that the provider answers. Raises ProviderFailed."""
    accept = {"Accept": "application/json", **(headers or {})}
    try:
        answer = httpx.request(method, url, headers=accept, data=data, auth=auth, timeout=TIMEOUT)
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        # The address of an error never has the code or the secret in it.
        raise ProviderFailed(repr(error)) from error
    if not isinstance(found, dict):
        raise ProviderFailed(f"{url} gives no object")
    return found
