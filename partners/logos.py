"""The logo of a software: drawn anew by us, small and plain, and known by its fingerprint.

Offices decide by it, so what was shown must stay what it was: a row is never changed or deleted,
and the evidence of an allow names its fingerprint.
"""

from __future__ import annotations

import hashlib
import io
from typing import IO

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from PIL import Image, ImageOps

SIDE = 192  # pixels: four times the 48 of the screens
SHORTEST, LONGEST = 48, 4096
MOST_BYTES = 1024 * 1024
# An SVG is a document with scripts and addresses, no picture.
FORMATS = ("PNG", "JPEG", "WEBP")


class Logo(models.Model):
    """A PNG of 192 by 192 pixels; `sha256` (hex) is its key, held by the database."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    png = models.BinaryField()
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    sha256=models.Func(
                        models.F("png"),
                        template="encode(sha256(%(expressions)s), 'hex')",
                        output_field=models.CharField(),
                    )
                ),
                name="partners_logo_is_its_fingerprint",
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def url(self) -> str:
        return reverse("partners:logo", args=[self.sha256])

    def keep(self) -> None:
        """Store it, where it is not known yet."""
        Logo.objects.bulk_create([self], ignore_conflicts=True)


def read_logo(upload: IO[bytes]) -> Logo:
    """The picture in a file as a logo that is not stored yet; raise ValidationError."""
    given = upload.read(MOST_BYTES + 1)
    if len(given) > MOST_BYTES:
        raise ValidationError("A logo has at most 1 MB.")
    try:
        with Image.open(io.BytesIO(given), formats=FORMATS) as picture:
            if min(picture.size) < SHORTEST or max(picture.size) > LONGEST:
                raise _wrong_size()
            png = _drawn_anew(picture)
    except Image.DecompressionBombError as error:
        raise _wrong_size() from error
    # Pillow's readers raise what their formats make them stumble over.
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ValidationError("Give a picture as PNG, JPEG or WebP.") from error
    return Logo(sha256=hashlib.sha256(png).hexdigest(), png=png)


def _wrong_size() -> ValidationError:
    return ValidationError(f"Each side of a logo has {SHORTEST} to {LONGEST} pixels.")


def _drawn_anew(picture: Image.Image) -> bytes:
    """Only the colours of the pixels survive: no name, place, profile or hidden second file."""
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    square = ImageOps.pad(upright, (SIDE, SIDE), color=(0, 0, 0, 0))
    clean = Image.new("RGBA", square.size)
    clean.paste(square)
    drawn = io.BytesIO()
    clean.save(drawn, "PNG", optimize=True)
    return drawn.getvalue()
