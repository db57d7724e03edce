"""Every text in four languages: complete, compiled, and in the words of the trade."""

from __future__ import annotations

import gettext
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("nl", "fr", "de")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# The words people know from the product (product.md section 7); only those in use are looked up.
WORDS: dict[str, tuple[str, str, str]] = {
    "Manage your consent": (
        "Je toestemming beheren",
        "Gérer votre consentement",
        "Ihre Einwilligung verwalten",
    ),
    "Allow Consent": ("Toestemming geven", "Donner le consentement", "Einwilligung erteilen"),
    "Deny Consent": ("Toestemming weigeren", "Refuser le consentement", "Einwilligung ablehnen"),
    "Cancel": ("Annuleren", "Annuler", "Widerrufen"),
    "Allowed": ("Toegestaan", "Autorisé", "Erlaubt"),
    "Denied": ("Geweigerd", "Refusé", "Abgelehnt"),
    "To be determined": ("Te bepalen", "À déterminer", "Noch offen"),
    "Cancelled": ("Geannuleerd", "Annulé", "Widerrufen"),
    "Consent ID copied": (
        "Toestemmings-ID gekopieerd",
        "ID de consentement copié",
        "Einwilligungs-ID kopiert",
    ),
    "Terms and conditions": ("Algemene voorwaarden", "Conditions générales", "Nutzungsbedingungen"),
    "I understand the consequences of this action": (
        "Ik begrijp de gevolgen van deze actie",
        "Je comprends les conséquences de cette action",
        "Ich verstehe die Folgen dieser Aktion",
    ),
    "Administration": ("Administratie", "Administration", "Verwaltung"),
    "Accounting office": ("Boekhoudkantoor", "Bureau comptable", "Buchhaltungsbüro"),
    "Accounting software": (
        "Boekhoudsoftware",
        "Logiciel de comptabilité",
        "Buchhaltungssoftware",
    ),
    "Enterprise number": ("Ondernemingsnummer", "Numéro d'entreprise", "Unternehmensnummer"),
}
# What must be on screen now; the others arrive with the screens that need them.
IN_USE = {
    *("Manage your consent", "Allow Consent", "Deny Consent", "Cancel", "Allowed", "Denied"),
    *("To be determined", "Cancelled", "Consent ID copied", "Terms and conditions"),
    *("I understand the consequences of this action", "Administration"),
}


class Entry:
    """One text of a catalogue; `plurals` holds its one or more translations."""

    def __init__(self, block: str) -> None:
        said: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if found := re.match(r'(msg\w+(?:\[\d\])?) "(.*)"$', line):
                key = found[1]
                said[key] = found[2]
            elif line.startswith('"'):
                said[key] += line[1:-1]
        self.fuzzy = bool(re.search(r"^#,.*\bfuzzy\b", block, re.M))
        self.context = said.get("msgctxt")
        self.msgid = said.get("msgid", "").replace('\\"', '"')
        self.msgid_plural = said.get("msgid_plural", "").replace('\\"', '"')
        self.plurals = [
            text.replace('\\"', '"') for name, text in said.items() if name.startswith("msgstr")
        ]


@cache
def catalogue(language: str) -> list[Entry]:
    """The texts of a language, without the head and what is no longer in use."""
    source = (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").read_text("utf-8")
    entries = [Entry(block) for block in source.split("\n\n") if "msgid " in block]
    return [entry for entry in entries if entry.msgid]


def translation_of(text: str, language: str) -> str | None:
    found = [e.plurals[0] for e in catalogue(language) if e.msgid == text and e.context is None]
    return found[0] if found else None


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_or_guessed(language: str) -> None:
    entries = catalogue(language)
    assert len(entries) > 100
    assert [e.msgid for e in entries if not all(e.plurals) or e.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_placeholders(language: str) -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)[sd]|%[sd]|\{\w*\}", text))

    for entry in catalogue(language):
        wanted = names(entry.msgid) | names(entry.msgid_plural)
        for text in entry.plurals:
            # A singular may say "one" in a word.
            missing = wanted - names(text) if text is entry.plurals[-1] else set()
            assert (names(text) - wanted, missing) == (set(), set()), entry.msgid


def test_the_catalogues_hold_the_same_texts() -> None:
    held = [{(e.context, e.msgid, e.msgid_plural) for e in catalogue(lang)} for lang in LANGUAGES]
    assert held[0] == held[1] == held[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_read_the_words_of_the_product(language: str) -> None:
    place = LANGUAGES.index(language)
    for text, translations in WORDS.items():
        found = translation_of(text, language)
        if text in IN_USE or found is not None:
            assert found == translations[place], text


def gettext_tool(name: str) -> str:
    tool = shutil.which(name)
    if tool is None:
        pytest.skip(f"{name} not found (Debian: apt install gettext)")
    return tool


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_source(language: str, tmp_path: Path) -> None:
    folder = ROOT / "locale" / language / "LC_MESSAGES"
    made = tmp_path / "made.mo"
    subprocess.run(
        [gettext_tool("msgfmt"), "--check-format", "-o", made, folder / "django.po"], check=True
    )
    assert content(made) == content(folder / "django.mo")


def content(compiled: Path) -> dict[str, str]:
    """What a compiled catalogue says; its bytes differ with the version of msgfmt."""
    with compiled.open("rb") as file:
        said = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    return {str(key): text for key, text in said.items() if key}


def test_every_text_of_the_code_is_in_the_catalogues(tmp_path: Path) -> None:
    """As `makemessages` finds them, without writing anything into the checkout."""
    gettext_tool("xgettext")
    for part in ("templates", "accounts", "partners", "clients", "consents", "documents"):
        shutil.copytree(ROOT / part, tmp_path / part)
    for part in ("dashboard", "codabox_portal"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / "locale").mkdir()
    admin = Path(sys.executable).parent / "django-admin"
    subprocess.run(
        [admin, "makemessages", "-l", "nl", "--no-location", "--no-obsolete", "-v", "0"],
        cwd=tmp_path,
        check=True,
    )
    source = (tmp_path / "locale" / "nl" / "LC_MESSAGES" / "django.po").read_text("utf-8")
    needed = {Entry(block).msgid for block in source.split("\n\n") if "msgid " in block} - {""}
    assert needed - {entry.msgid for entry in catalogue("nl")} == set()


# What needs no translation: the product's own name, marks, and names of languages.
NO_TEXT = re.compile(r"^(?:CodaBox Connect(?: ·)?|[\W\d_]*|&\w+;)$")


def bare_words(template: str) -> Iterator[str]:
    """Words of a template that stand outside every translation tag."""
    rest = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", template, flags=re.S)
    rest = re.sub(r"\{% blocktranslate.*?\{% endblocktranslate %\}", "", rest, flags=re.S)
    # Names of classes that a page gives its frame.
    rest = re.sub(r"\{% block width %\}.*?\{% endblock(?: \w+)? %\}", "", rest, flags=re.S)
    rest = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", rest, flags=re.S)
    rest = re.sub(r"<(script|style|svg)\b.*?</\1>", "", rest, flags=re.S)
    yield from re.findall(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"', rest)
    yield from re.sub(r"<[^>]*>", "\n", rest).splitlines()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_no_word_of_a_page_stands_outside_a_translation(path: Path) -> None:
    found = [text.strip() for text in bare_words(path.read_text("utf-8"))]
    assert [text for text in found if text and not NO_TEXT.match(text)] == []


def test_the_scan_finds_a_bare_word() -> None:
    page = '<p title="Bare">{% translate "Fine" %} {{ name }}</p>\n<b>Naked</b>'
    assert [text.strip() for text in bare_words(page) if text.strip()] == ["Bare", "Naked"]
