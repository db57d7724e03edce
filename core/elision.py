"""French elides: “les documents d’Accountable”, not “de Accountable”.

The French catalogue says `de %(software)s`. What follows is known only when the name is filled in,
by the `%` of the code or of `blocktranslate`, so the elision happens there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.utils.translation import trans_real

# The words that lose their vowel, a tag perhaps, and the value that follows.
BEFORE_VALUE = re.compile(
    r"\b(de|que|jusque|lorsque|puisque) ((?:<\w+>)*)%\((\w+)\)s", re.IGNORECASE
)
# A French name with a mute h. All other names that begin with h are taken as foreign: “de Hubo”.
MUTE_H = re.compile(
    r"h(?:abit|armon|erb|eure|istoire|omm|onor|opita|ori[sz]|orlog|ote|uil|uis|y[bdgp])"
)


def is_elided_before(name: str) -> bool:
    """Return whether French says d’ and qu’ before this name: before a vowel or a mute h."""
    start = unicodedata.normalize("NFKD", name.casefold()[:12].replace("œ", "oe"))
    letters = "".join(letter for letter in start if not unicodedata.combining(letter))
    if letters.startswith("h"):
        return MUTE_H.match(letters) is not None
    # In Yuki and Yoga the y is a consonant, in Yves and Ypres it is a vowel.
    return re.match(r"[aeiou]|y[^aeiou\W]", letters) is not None


class Elided(str):
    """A French text: `%` elides what stands before a name that begins with a vowel."""

    __slots__ = ()

    def __mod__(self, values: Any) -> str:
        if not isinstance(values, Mapping):
            return str.__mod__(self, values)

        def elide(found: re.Match[str]) -> str:
            word, tags, key = found.groups()
            if not is_elided_before(str(values.get(key, ""))):
                return found[0]
            return f"{word[:-1]}’{tags}%({key})s"

        return str.__mod__(BEFORE_VALUE.sub(elide, self), values)


def elide_french() -> None:
    """Let each French text elide in which a value may follow such a word; for the first start."""
    french = trans_real.translation("fr")
    # Django has no public way to its catalogues; several, as their plurals differ.
    for catalogue in french._catalog._catalogs:  # type: ignore[attr-defined]
        for key, text in catalogue.items():
            if BEFORE_VALUE.search(text):
                catalogue[key] = Elided(text)
