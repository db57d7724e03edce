"""The logo of software: drawn anew by the portal, and identified by its SHA-256.

Offices recognise software by its logo. So a row is never changed or deleted, and the evidence of an
allow names the SHA-256 of the logo that was shown.
"""

from __future__ import annotations

import hashlib
import io
from typing import IO

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from PIL import Image, ImageOps

from core.triggers import append_only

SIDE = 192  # pixels: four times the 48 of the screens
SHORTEST, LONGEST = 48, 4096
MOST_BYTES = 1024 * 1024
# SVG is refused: it is a document that can contain scripts and addresses.
FORMATS = ("PNG", "JPEG", "WEBP")


class Logo(models.Model):
    """A PNG of 192 by 192 pixels; its key `sha256` (hex) is checked by the database."""

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
        triggers = append_only("logos")

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def url(self) -> str:
        return reverse("partners:logo", args=[self.sha256])

    def keep(self) -> None:
        """Store the logo if it is not stored yet."""
        Logo.objects.bulk_create([self], ignore_conflicts=True)


def read_logo(upload: IO[bytes]) -> Logo:
    """Turn the picture in a file into a logo, without storing it; raise ValidationError."""
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
    # Each reader of Pillow raises errors of its own.
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ValidationError("Give a picture as PNG, JPEG or WebP.") from error
    return Logo(sha256=hashlib.sha256(png).hexdigest(), png=png)


def _wrong_size() -> ValidationError:
    return ValidationError(f"Each side of a logo has {SHORTEST} to {LONGEST} pixels.")


def _drawn_anew(picture: Image.Image) -> bytes:
    """Copy only the colours of the pixels: no name, place, profile or hidden second file."""
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    square = ImageOps.pad(upright, (SIDE, SIDE), color=(0, 0, 0, 0))
    clean = Image.new("RGBA", square.size)
    clean.paste(square)
    drawn = io.BytesIO()
    clean.save(drawn, "PNG", optimize=True)
    return drawn.getvalue()
