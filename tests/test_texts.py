"""Every text exists in four languages, and the words of the trade are the agreed ones."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext

from consents.models import Status, Terms

pytestmark = pytest.mark.requirement(89)


ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ["nl", "fr", "de"]
# The table of words: English, Dutch, French, German.
WORDS = [
    ("Manage your consent", "Je toestemming beheren", "Gérer votre consentement",
     "Ihre Einwilligung verwalten"),
    ("Allow Consent", "Toestemming geven", "Donner le consentement", "Einwilligung erteilen"),
    ("Deny Consent", "Toestemming weigeren", "Refuser le consentement", "Einwilligung ablehnen"),
    ("Allowed", "Toegestaan", "Autorisé", "Erlaubt"),
    ("Denied", "Geweigerd", "Refusé", "Abgelehnt"),
    ("To be determined", "Te bepalen", "À déterminer", "Noch offen"),
    ("Cancelled", "Geannuleerd", "Annulé", "Widerrufen"),
    ("Consent ID copied", "Toestemmings-ID gekopieerd", "ID de consentement copié",
     "Einwilligungs-ID kopiert"),
    ("Terms and conditions", "Algemene voorwaarden", "Conditions générales",
     "Nutzungsbedingungen"),
    ("I understand the consequences of this action", "Ik begrijp de gevolgen van deze actie",
     "Je comprends les conséquences de cette action", "Ich verstehe die Folgen dieser Aktion"),
    ("Administration", "Administratie", "Administration", "Verwaltung"),
]  # fmt: skip


def catalogue(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def msgfmt(*arguments: str | Path) -> str:
    done = subprocess.run(["msgfmt", *arguments], capture_output=True, text=True, check=True)
    return done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    told = msgfmt("--check", "--statistics", "-o", "/dev/null", catalogue(language))
    assert re.fullmatch(r"\d+ translated messages\.\n", told), told


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_committed_mo_is_the_po(language: str, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.mo"
    msgfmt("-o", fresh, catalogue(language))
    assert fresh.read_bytes() == catalogue(language).with_suffix(".mo").read_bytes()


def test_no_text_of_the_code_is_missing_in_the_catalogues(tmp_path: Path) -> None:
    """makemessages in a copy finds nothing that the committed catalogues do not have."""
    import shutil

    copy = tmp_path / "copy"
    skip = shutil.ignore_patterns(".venv", "var", ".git", "__pycache__", "staticfiles", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=skip)
    for language in LANGUAGES:
        target = copy / "locale" / language / "LC_MESSAGES" / "django.po"
        before = _ids(target)
        subprocess.run(
            ["django-admin", "makemessages", "-l", language, "--no-obsolete", "--no-wrap"],
            cwd=copy,
            env={"PATH": f"{ROOT / '.venv' / 'bin'}:/usr/bin:/bin"},
            capture_output=True,
            check=True,
        )
        assert _ids(target) == before, language


def _ids(path: Path) -> set[str]:
    """The identifiers of a catalogue, as msgcat writes them on one line each."""
    done = subprocess.run(
        ["msgcat", "--no-wrap", "--no-location", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(re.findall(r'^msgid "(.+)"$', done.stdout, re.MULTILINE))


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words[0])
def test_the_words_of_the_trade(words: tuple[str, ...]) -> None:
    for language, word in zip(["en", *LANGUAGES], words, strict=True):
        with translation.override(language):
            assert gettext(words[0]) == word


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_four_statuses_speak(language: str) -> None:
    with translation.override("en"):
        english = {str(Status(value).label) for value in Status.values}
    with translation.override(language):
        assert not english & {str(Status(value).label) for value in Status.values}


@pytest.mark.django_db
def test_the_terms_exist_in_four_languages() -> None:
    first = Terms.objects.filter(version=1)
    assert {text.language for text in first} == {"en", *LANGUAGES}
    assert len({text.sha256 for text in first}) == 4
