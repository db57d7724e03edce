"""Restore a backup into an empty database, without reviving what was stopped since."""

from __future__ import annotations

import json
from pathlib import Path

from consents.ended_register import Line, register, register_file, registered
from documents.storage.blobs import Damaged, load, name_of, remove, storage
from monitoring.backups import postgresql
from monitoring.backups.folder import (
    DUMP,
    KEYS,
    REGISTER,
    CannotGoOn,
    Manifest,
    digests_of,
    documents_of,
    migrations_of_this_release,
    read_manifest,
)
from monitoring.backups.keys import fingerprints
from monitoring.backups.make import check

REGISTER_IS_LOST = (
    "Put the register of the day of the failure in place. If there is none, say "
    "--register-is-lost: what was stopped after the backup is not known then, and goes on."
)
SECRETS_ARE_LOST = (
    "Put the secret of that day into PORTAL_FORMER_SECRET_KEYS. If it is lost, say "
    "--secrets-are-lost: second factors and webhook keys cannot be read then."
)


def restore_backup(folder: Path, *, register_is_lost: bool, secrets_are_lost: bool) -> Manifest:
    """Put documents, database and register in place. Raises CannotGoOn.

    All that can be refused is refused before anything is written. The API stays closed until the
    caller has stopped again what the register says (restore_guard.reapply_cancellations).
    """
    manifest = read_manifest(folder)
    if manifest.migrations != migrations_of_this_release():
        raise CannotGoOn(
            "The backup is of another release. Restore it with that one, then upgrade."
        )
    if not secrets_are_lost:
        _refuse_other_secrets(folder)
    missing = _missing_lines(folder)
    if not register_is_lost:
        _refuse_wrong_register(missing)
    postgresql.refuse_used_database()
    postgresql.refuse_another_database()
    check(folder, manifest)
    register(*missing)
    _restore_documents(folder)
    postgresql.restore(folder / DUMP)
    return manifest


def _refuse_other_secrets(folder: Path) -> None:
    needed = set(json.loads((folder / KEYS).read_text())["secretKeys"])
    if not needed <= set(fingerprints()):
        raise CannotGoOn(
            f"The backup was made with a secret that is not here now. {SECRETS_ARE_LOST}"
        )


def _missing_lines(folder: Path) -> list[Line]:
    """What the register of the backup has and that of the settings does not."""
    there = {line.event for line in registered()}
    return [line for line in registered(folder / REGISTER) if line.event not in there]


def _refuse_wrong_register(missing: list[Line]) -> None:
    """The register only grows: one that lacks a line of the backup is too old."""
    if not register_file().exists():
        raise CannotGoOn(f"There is no register of ended consents. {REGISTER_IS_LOST}")
    if missing:
        raise CannotGoOn(f"The register of ended consents lacks lines. {REGISTER_IS_LOST}")


def _restore_documents(folder: Path) -> None:
    copies = documents_of(folder)
    for sha256 in digests_of(folder):
        try:
            load(sha256)
        except Damaged:
            remove(sha256)
            with open(copies.path(name_of(sha256)), "rb") as file:
                storage().put_file(name_of(sha256), file)
