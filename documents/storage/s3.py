"""Store bytes in a bucket of an S3-compatible store, where a PUT is complete or does not happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from botocore.exceptions import ClientError
from django.core.files.base import ContentFile, File
from storages.backends import s3

AT_ONCE = 8


class S3Storage(s3.S3Storage):  # type: ignore[misc]  # it has no types
    """The document storage in a bucket: names are digests, so a file under a name never changes."""

    def get_default_settings(self) -> dict[str, Any]:
        # A name that exists is written again with the same bytes, never under another name.
        return {**super().get_default_settings(), "file_overwrite": True, "default_acl": None}

    def put(self, blobs: Mapping[str, bytes]) -> None:
        """Write what is not there yet; when this returns, the store has all of it."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(self._put_one, blobs.items()))

    def put_file(self, name: str, file: BinaryIO) -> None:
        """Write one long file piece by piece."""
        if not self.exists(name):
            self.save(name, File(file))

    @contextmanager
    def part(self, name: str, start: int, length: int) -> Iterator[BinaryIO]:
        """The bytes from `start` on, as one request for just this part."""
        wanted = f"bytes={start}-{start + max(length, 1) - 1}"
        options = {"Range": wanted} if length else {}
        try:
            body = self.bucket.Object(name).get(**options)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise FileNotFoundError(name) from error
        with closing(body):
            yield body

    def older_than(self, shard: str, seconds: float) -> Iterator[str]:
        """Digests that begin with `shard` and are at least so old."""
        before = datetime.now(UTC) - timedelta(seconds=seconds)
        for entry in self.bucket.objects.filter(Prefix=f"{shard}/"):
            if entry.last_modified <= before:
                yield str(entry.key).rpartition("/")[2]

    def remove_unfinished(self, seconds: float) -> int:
        """Nothing to do: the store itself removes unfinished files."""
        return 0

    def _put_one(self, blob: tuple[str, bytes]) -> None:
        name, data = blob
        if not self.exists(name) or self.size(name) != len(data):
            self.save(name, ContentFile(data))
