"""The charset of a file is told by its letters."""

from __future__ import annotations

import pytest

from documents.formats.charsets import CODECS, DOS, LATIN_1, UTF_8, WINDOWS, charset_of

NAMES = [
    "CAFÉ DE L'ÉTOILE",
    "Garçon & Frères, Liège",
    "BÄCKEREI MÜLLER",
    "Bäckerei Schäfer, Eupen",
    "Ça ira à l'hôpital",
    "PAIEMENT À HÉLÈNE",
    "Société Générale août",
    "Coöperatie België",
    "Señor Núñez",
    "voilà",
]


@pytest.mark.parametrize("charset", [LATIN_1, DOS, UTF_8])
def test_names_are_read_in_the_charset_that_gives_letters(charset: str) -> None:
    for name in NAMES:
        data = name.encode(CODECS[charset])
        found = charset_of(data)
        if charset == DOS and not any(0x80 <= code < 0xA0 for code in data):
            assert found == LATIN_1  # nothing tells them apart
        else:
            assert found == charset, name
            assert data.decode(CODECS[found]) == name


@pytest.mark.parametrize(
    "words",
    [
        "Korting 5 €",
        "L’ÉTOILE",
        "Cœur d’Alène",
        "“Chez Léon”",
        "Février – mars",
        "Prix : 12 €, été",
    ],
)
def test_signs_that_windows_added_are_windows(words: str) -> None:
    assert charset_of(words.encode("cp1252")) == WINDOWS


def test_what_has_no_accents_is_latin_1() -> None:
    assert charset_of(b"PROEFBEDRIJF") == LATIN_1
