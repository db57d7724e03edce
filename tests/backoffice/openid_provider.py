"""A small OpenID provider, a process of its own: `python -m tests.backoffice.openid_provider PORT`.

It logs in whoever POST /next says, without a page, and gives tokens as OpenID Connect Core 1.0 has
them: a code once, for its client, with its PKCE verifier; an ID token signed with RSA. POST /next
takes {"claims": {…}, "faults": [{…}]}: what the token says besides, and what is wrong with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "portal", "s3cret+with:signs"


def new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


KEY, FOREIGN_KEY = new_key(), new_key()
NEXT: dict[str, Any] = {"claims": {}, "fault": ""}
CODES: dict[str, dict[str, str]] = {}


def public(key: RSAPrivateKey) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "1", "use": "sig"}


def id_token(issuer: str, nonce: str) -> str:
    now, fault = int(time.time()), NEXT["fault"]
    times = {"iat": now, "exp": now + 300}
    claims = {"iss": issuer, "aud": CLIENT, "nonce": nonce, **times, **NEXT["claims"]}
    claims = {name: value for name, value in claims.items() if value is not None}
    if fault == "unsigned":
        return jwt.encode(claims, "", algorithm="none")
    if fault == "hmac":
        # The public key as the secret of an HMAC, which a careless reader would accept. PyJWT
        # refuses to make such a token, so it is made by hand.
        return _by_hand(claims)
    key = FOREIGN_KEY if fault == "foreign key" else KEY
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "1"})


def _by_hand(claims: dict[str, Any]) -> str:
    parts = [_b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "1"}, claims)]
    secret = json.dumps(public(KEY)).encode()
    signed = hmac.new(secret, ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, _b64(signed)])


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Provider(BaseHTTPRequestHandler):
    server: ThreadingHTTPServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/realm/.well-known/openid-configuration":
                self.say(self.description())
            case "/realm/keys":
                # A key of a kind that nobody here knows stands in the list as well.
                self.say({"keys": [{"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}, public(KEY)]})
            case "/realm/login":
                self.log_in(asked)
            case "/realm/userinfo":
                self.say(NEXT.get("userinfo", {}))
            case _:
                self.say({"error": "not_found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/next":
            NEXT.clear()
            NEXT.update({"claims": {}, "fault": ""}, **json.loads(body))
            self.say({})
        elif self.path == "/realm/token":
            self.give_tokens({name: values[0] for name, values in parse_qs(body).items()})
        else:
            self.say({"error": "not_found"}, 404)

    def description(self) -> dict[str, Any]:
        me = self.issuer
        told: dict[str, Any] = {
            "issuer": me if NEXT["fault"] != "other name" else f"{me}/other",
            "authorization_endpoint": f"{me}/login",
            "token_endpoint": f"{me}/token",
            "jwks_uri": f"{me}/keys",
            "userinfo_endpoint": f"{me}/userinfo",
        }
        if NEXT["fault"] == "only post":
            told["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
        return told

    def log_in(self, asked: dict[str, str]) -> None:
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        CODES[code] = asked
        answer = {"code": code, "state": asked["state"]}
        if NEXT["fault"] == "denied":
            answer = {"error": "access_denied", "state": asked["state"]}
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(answer)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def give_tokens(self, form: dict[str, str]) -> None:
        begun = CODES.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if begun is None or _b64(digest) != begun["code_challenge"]:
            self.say({"error": "invalid_grant"}, 400)
        elif form["redirect_uri"] != begun["redirect_uri"] or not self.is_client(form):
            self.say({"error": "invalid_client"}, 401)
        else:
            token = id_token(self.issuer, begun["nonce"])
            self.say({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def is_client(self, form: dict[str, str]) -> bool:
        if NEXT["fault"] == "only post":
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        _basic, _space, given = self.headers.get("Authorization", "").partition(" ")
        name, _colon, secret = base64.b64decode(given).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/realm"

    def say(self, answer: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Provider).serve_forever()
