"""Make a backup: a folder from which the whole portal can be restored."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from itertools import islice
from pathlib import Path

from django.utils import timezone

from consents import restore_guard
from consents.ended_register import register_file
from documents.storage.blobs import Damaged, load, name_of
from documents.storage.digests import is_still_named, stored_digests
from documents.storage.filesystem import FilesystemStorage
from monitoring.backups import postgresql
from monitoring.backups.folder import (
    DIGESTS,
    DUMP,
    FORMAT,
    KEYS,
    MANIFEST,
    REGISTER,
    CannotGoOn,
    Manifest,
    documents_of,
    faults_of,
    migrations_of_this_release,
    sha256_of,
    write_json,
)
from monitoring.backups.keys import keys_in_use

# Files are copied in batches of so many bytes, plus the last file of the batch.
BATCH_BYTES = 16 * 1024 * 1024


def make_backup(folder: Path, previous: Path | None = None) -> Manifest:
    """Write the backup, then read all of it. Raises CannotGoOn, and leaves no manifest then.

    First the database, then the files: the portal stores a file before its row, so the dump names
    no file that is missing. Last the register, so that it has every stop of the dump.
    """
    if folder.exists() and any(folder.iterdir()):
        raise CannotGoOn(f"{folder} is not empty. Name a new folder for each backup.")
    closed = restore_guard.why_closed()
    if closed:
        raise CannotGoOn(f"The API is closed, so this is no state to keep: {closed}.")
    postgresql.refuse_another_database()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made_at = timezone.now().isoformat()
    postgresql.dump(folder / DUMP)
    documents = _Documents(folder, previous).copy_all()
    _copy_register(folder / REGISTER)
    write_json(folder / KEYS, keys_in_use())
    manifest = Manifest(
        format=FORMAT,
        made_at=made_at,
        postgresql=str(postgresql.ask("show server_version")[0]),
        migrations=migrations_of_this_release(),
        documents=documents,
        files={name: sha256_of(folder / name) for name in (DUMP, DIGESTS, REGISTER, KEYS)},
    )
    os.sync()
    check(folder, manifest)
    write_json(folder / MANIFEST, manifest._asdict())
    os.sync()
    return manifest


def check(folder: Path, manifest: Manifest) -> None:
    """Read every byte of a backup; raise CannotGoOn with the first faults."""
    faults = list(islice(faults_of(folder, manifest.files), 5))
    if faults:
        raise CannotGoOn(f"{folder} is damaged. {' '.join(faults)}")
    postgresql.read_whole(folder / DUMP)


class _Documents:
    """Copies the files of the storage. What the previous backup has becomes a hard link."""

    def __init__(self, folder: Path, previous: Path | None) -> None:
        self.folder = folder
        self.copies = documents_of(folder)
        self.before = documents_of(previous) if previous else None
        self.waiting: dict[str, bytes] = {}
        self.gone: list[str] = []

    def copy_all(self) -> int:
        """Return how many files the backup has."""
        count = 0
        with (self.folder / DIGESTS).open("w") as listed:
            for sha256 in stored_digests():
                if self._take(sha256):
                    listed.write(f"{sha256}\n")
                    count += 1
        self._write()
        if self.gone:
            raise CannotGoOn(
                f"{len(self.gone)} documents are damaged or gone: run manage.py verify_storage."
            )
        return count

    def _take(self, sha256: str) -> bool:
        name = name_of(sha256)
        if name in self.waiting or self.copies.exists(name):
            return False
        if self.before and _is_linked(self.before, self.copies, name):
            return True
        try:
            self.waiting[name] = load(sha256)
        except Damaged:
            if is_still_named(sha256):
                self.gone.append(sha256)
            return False
        if sum(map(len, self.waiting.values())) > BATCH_BYTES:
            self._write()
        return True

    def _write(self) -> None:
        self.copies.put(self.waiting)
        self.waiting = {}


def _is_linked(before: FilesystemStorage, copies: FilesystemStorage, name: str) -> bool:
    Path(copies.path(name)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # It is not in the previous backup, or that lies on another disk.
    with suppress(OSError):
        os.link(before.path(name), copies.path(name))
        return True
    return False


def _copy_register(file: Path) -> None:
    restore_guard.register_missing()  # what a killed process left out
    if register_file().exists():
        shutil.copyfile(register_file(), file)
    else:
        file.touch()
