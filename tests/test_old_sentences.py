"""No old sentence comes back: neither a whole one, nor a word that a glossary does not allow."""

from __future__ import annotations

import gettext
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
LANGUAGES = ["en", "nl", "fr", "de"]
# The end of each glossary: `| a regular expression | what is said instead |`.
ROW = re.compile(r"^\| `(.+)` \| (.+) \|$", re.MULTILINE)
OLD_SENTENCES = (ROOT / "tests/old_sentences.txt").read_text().splitlines()
# Parts of sentences that the whole list does not have letter for letter.
OLD_PARTS = """asking for your consent…
Needs your care
Shall it go on?
companies are touched
Whatever you switch off does not exist
Sharing less holds from this moment
Your answer came too late
It is fixed: software names your office by it
Your password until now
Everywhere else you are logged out then
This link works no longer
This is not open to you
Then all is well
so it always comes
Allowing needs the switch above""".splitlines()


@cache
def texts(language: str) -> dict[str, str]:
    """Each translation with its English; plural forms apart."""
    read = gettext.translation("django", LOCALE, ["nl" if language == "en" else language])
    catalogue: dict[object, str] = read._catalog  # type: ignore[attr-defined]
    found: dict[str, str] = {}
    for key, said in catalogue.items():
        english = str(key[0] if isinstance(key, tuple) else key)
        if english:
            found[english if language == "en" else said] = english
    return found


def without_code(text: str) -> str:
    """The text as it is read: X for each value, no tags."""
    return re.sub(r"<[^>]*>", "", re.sub(r"%\(\w+\)s", "X", text)).replace("%%", "%")


def refused_by(language: str) -> list[re.Pattern[str]]:
    glossary = (LOCALE / language / "glossary.md").read_text()
    return [re.compile(pattern.replace(r"\|", "|")) for pattern, _instead in ROW.findall(glossary)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_has_a_word_that_its_glossary_refuses(language: str) -> None:
    patterns = refused_by(language)
    assert len(patterns) > 8
    found = [
        f"{pattern.pattern}: {text}"
        for text in texts(language)
        for pattern in patterns
        if pattern.search(without_code(text))
    ]
    assert found == []


def test_no_old_sentence_is_in_the_catalogues() -> None:
    """The catalogues have every text of code and templates; tests/test_texts.py looks after that."""
    assert len(OLD_SENTENCES) > 450
    assert sorted(set(OLD_SENTENCES) & set(texts("en"))) == []
    back = [text for text in texts("en") if any(part in text for part in OLD_PARTS)]
    assert back == []


def test_no_old_sentence_of_operators_is_in_their_pages() -> None:
    """Their pages are English only, so their sentences stand in the code and in the templates."""
    old = (ROOT / "tests/old_operator_sentences.txt").read_text().splitlines()
    assert len(old) > 35
    pages = [*(ROOT / "backoffice").rglob("*.py"), *(ROOT / "templates/admin").rglob("*.html")]
    back = []
    for page in pages:
        # A string that goes on in the next line is one sentence.
        text = re.sub(r'"\s*\n\s*f?"', "", page.read_text())
        back += [f"{page.name}: {one}" for one in old if one in " ".join(text.split())]
    assert back == []


@pytest.mark.parametrize(
    ("language", "wrong"),
    [
        ("en", "If you don’t know them, send a mail."),
        ("en", "X’s access is paused"),
        ("nl", "Een software vraagt toegang"),
        ("nl", "Klasseer uw bestand"),
        ("fr", "depuis 29 novembre"),
        ("fr", "Enregistrez-vous les modifications ?"),
        ("fr", "l'accès"),
        ("de", "Gültig bis X."),
        ("de", "Ändere dein Passwort"),
    ],
)
def test_a_glossary_refuses_what_it_says_it_refuses(language: str, wrong: str) -> None:
    assert any(pattern.search(wrong) for pattern in refused_by(language))
