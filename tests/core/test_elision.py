"""French elides before a name with a vowel or a mute h, in every text and on every page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy, ngettext

from core.elision import BEFORE_VALUE, Elided, is_elided_before
from tests.test_old_sentences import texts

PLACE = re.compile(r"%\((\w+)\)[sd]")
# What stands after an article of French: a date, a number, a role; never the name of somebody.
NO_NAMES = {
    "at", "busiest", "charset", "day", "element", "first", "moment", "n", "number", "numbers",
    "on", "since", "until",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["Accountable", "Exact Online", "Octopus", "Évelyne", "Œnologie", "Yves", "Hôtel du Parc",
     "Huilerie Lambert", "ING"],
)  # fmt: skip
def test_french_elides_before_a_vowel_and_a_mute_h(name: str) -> None:
    assert is_elided_before(name)


@pytest.mark.parametrize("name", ["Ledgerly", "Yuki", "Hubo", "Hans", "SD Worx", "3M", "", "&lt;A"])
def test_french_keeps_the_vowel_before_other_names(name: str) -> None:
    assert not is_elided_before(name)


@pytest.mark.parametrize("way", [gettext, gettext_lazy])
def test_the_code_fills_a_name_in(way: Callable[[str], str]) -> None:
    with translation.override("fr"):
        title = way("%(software)s can now read the documents of %(office)s")
        assert title % {"software": "Exact", "office": "Accountable"} == (
            "Exact peut désormais lire les documents d’Accountable"
        )
        assert title % {"software": "Exact", "office": "Kantoor Maes"} == (
            "Exact peut désormais lire les documents de Kantoor Maes"
        )


def test_a_page_fills_a_name_in() -> None:
    page = Template(
        "{% load i18n %}{% blocktranslate %}<strong>{{ software }}</strong> can read the documents"
        " of <strong>{{ office }}</strong>.{% endblocktranslate %}"
    )
    with translation.override("fr"):
        shown = page.render(Context({"software": "Exact", "office": "Étude <b> & fils"}))
    assert shown == (
        "<strong>Exact</strong> peut lire les documents d’<strong>Étude &lt;b&gt; &amp; fils</strong>."
    )


def test_a_plural_elides_as_well() -> None:
    english = (
        "If you confirm, <strong>%(software)s</strong> can read the documents of all companies of"
        " <strong>%(office)s</strong> (%(n)s company today). Documents from the past two years are"
        " included. Access lasts until you cancel the consent."
    )
    several = english.replace("company today", "companies today")
    with translation.override("fr"):
        for n in (1, 2):
            said = ngettext(english, several, n) % {"software": "X", "office": "Alix", "n": n}
            assert "tous les dossiers d’<strong>Alix</strong>" in said


def test_no_french_text_keeps_a_vowel_before_a_vowel() -> None:
    met = 0
    for text in texts("fr"):
        names = dict.fromkeys(PLACE.findall(text), "Accountable")
        said = re.sub(r"<\w+>", "", Elided(text.replace(")d", ")s")) % names)
        assert not re.search(r"\b(?:de|que|jusque) Accountable", said, re.IGNORECASE), text
        met += "d’Accountable" in said
    assert met > 50


def test_no_french_text_has_an_article_before_a_name() -> None:
    """An article depends on the gender and the first letter of what follows, which nobody knows."""
    found = re.compile(r"\b(?:du|au|le|la|ce|ne|se) (?:<\w+>)*%\((\w+)\)s", re.IGNORECASE)
    wrong = [text for text in texts("fr") for key in found.findall(text) if key not in NO_NAMES]
    assert wrong == []


def test_no_french_text_has_such_a_word_at_its_end() -> None:
    """A page would have to put the name behind it, where nothing elides."""
    assert [text for text in texts("fr") if re.search(r"\b(?:de|que)\s*$", text)] == []


def test_only_texts_with_a_name_are_changed() -> None:
    assert BEFORE_VALUE.search("L’accès de %(software)s") is not None
    assert BEFORE_VALUE.search("Code %(software)s") is None
    assert Elided("de 100 %%") % () == "de 100 %"
