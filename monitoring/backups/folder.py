"""What lies in the folder of a backup, and whether all of it is there as it was written.

portal.dump          the database (pg_dump)
documents/           the bytes of the documents, each under its SHA-256
documents.txt        the digests of all of them
ended-consents.txt   the register of ended consents
keys.json            which keys were in use: no secret, only what tells one from another
manifest.json        written last: a folder without it is no backup
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.db.migrations.loader import MigrationLoader

from documents.storage.blobs import name_of
from documents.storage.filesystem import FilesystemStorage

DUMP, DIGESTS, REGISTER, KEYS = "portal.dump", "documents.txt", "ended-consents.txt", "keys.json"
MANIFEST, DOCUMENTS = "manifest.json", "documents"
FORMAT = 1


class CannotGoOn(Exception):
    """Why a backup or a restore stops: the text is a sentence for the operator."""


class Manifest(NamedTuple):
    """What a backup says of itself; `files` are the SHA-256 of its files, without the documents."""

    format: int
    made_at: str
    postgresql: str
    migrations: list[str]
    documents: int
    files: dict[str, str]


def read_manifest(folder: Path) -> Manifest:
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text()))
    except FileNotFoundError:
        raise CannotGoOn(f"{folder} is no whole backup: it has no {MANIFEST}.") from None
    except (ValueError, TypeError) as error:
        raise CannotGoOn(f"{folder / MANIFEST} cannot be read: {error}.") from error
    if manifest.format != FORMAT:
        raise CannotGoOn(f"{folder} has the format {manifest.format}; this release reads {FORMAT}.")
    return manifest


def write_json(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n")


def documents_of(folder: Path) -> FilesystemStorage:
    """The bytes in a backup, stored as in a folder of documents."""
    return FilesystemStorage(location=str(folder / DOCUMENTS))


def digests_of(folder: Path) -> Iterator[str]:
    with (folder / DIGESTS).open() as lines:
        yield from (line.strip() for line in lines)


def sha256_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def faults_of(folder: Path, files: dict[str, str]) -> Iterator[str]:
    """Read every byte; each fault is a sentence."""
    for name, sha256 in files.items():
        if not (folder / name).is_file():
            yield f"{name} is gone."
        elif sha256_of(folder / name) != sha256:
            yield f"{name} was changed."
    if (folder / DIGESTS).is_file():
        for sha256 in digests_of(folder):
            file = folder / DOCUMENTS / name_of(sha256)
            if not file.is_file() or sha256_of(file) != sha256:
                yield f"The document {sha256} is damaged or gone."


def migrations_of_this_release() -> list[str]:
    """The migrations that the code has: dump and code must agree on them."""
    nodes = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return sorted(f"{app}.{name}" for app, name in nodes or {})
