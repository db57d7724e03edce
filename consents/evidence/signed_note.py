"""Checkpoints as C2SP writes them (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).

A checkpoint says how many events the log has and the root of their Merkle tree:

    connect.example/consent-events
    1234
    base64 of the root hash

    — connect.example/consent-events base64 of the key's hash and the signature
"""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from consents.evidence.receipt import signing_key

ED25519 = b"\x01"


class WrongCheckpoint(Exception):
    """This is no checkpoint of a key that we know."""


class Checkpoint(NamedTuple):
    """What a checkpoint says."""

    size: int
    root: bytes


def origin() -> str:
    """The name of the log, and of the key that signs it."""
    return f"{settings.PORTAL_HOST}/consent-events"


def public_key_line() -> str:
    """Our key in the form of signed notes: name+hash+key."""
    return _key_line(origin(), _raw(signing_key()))


def write(checkpoint: Checkpoint) -> str:
    """The signed text of a checkpoint."""
    name, key = origin(), signing_key()
    text = f"{name}\n{checkpoint.size}\n{_base64(checkpoint.root)}\n"
    signature = _key_hash(name, _raw(key)) + key.sign(text.encode())
    return f"{text}\n— {name} {_base64(signature)}\n"


def read(note: str, key_lines: list[str]) -> Checkpoint:
    """What a checkpoint says, once one of these keys has signed it."""
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    signed = {tuple(line.split(" ")[1:]) for line in signatures.splitlines()}
    for key_line in key_lines:
        name, key_hash, key = key_line.strip().split("+", 2)
        for signer, signature in (one for one in signed if len(one) == 2):
            raw = base64.b64decode(signature)
            if signer == name and raw[:4].hex() == key_hash and _is_signed(text, raw[4:], key):
                _origin, size, root = text.splitlines()[:3]
                return Checkpoint(int(size), base64.b64decode(root))
    raise WrongCheckpoint


def _is_signed(text: str, signature: bytes, key: str) -> bool:
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
    try:
        public.verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def _raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _key_line(name: str, public: bytes) -> str:
    return f"{name}+{_key_hash(name, public).hex()}+{_base64(ED25519 + public)}"


def _key_hash(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
