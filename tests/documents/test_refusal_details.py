"""What is wrong with a file is said in the language of who reads it, for every detail there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from django.utils import translation

from documents.refusal_details import PLACEHOLDER, SENTENCES, in_reader_language

ROOT = Path(__file__).resolve().parent.parent.parent
# What the last words of a detail say, by where the name of the part comes from.
PARTS = {"record 'X' where the X belongs": ("header", "old balance")}
SUMS: tuple[str, ...] = ("the lines", "the allowances", "the charges", "the net amount", "the VAT")
SUMS += ("the gross amount", "the amount to pay")
# Only operators read these: they name other offices.
OF_OPERATORS = {"X: claimed by X; X"}


def samples(value: ast.expr) -> Iterator[str]:
    """The text with X for each value in it; with each part's name where it is one of a few."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        text = ""
        for piece in value.values:
            if isinstance(piece, ast.Constant):
                text += str(piece.value)
            else:
                assert isinstance(piece, ast.FormattedValue)
                text += "'X'" if piece.conversion == ord("r") else "X"
        yield from _with_names(text)


def _with_names(text: str) -> Iterator[str]:
    if text in PARTS:
        for name in PARTS[text]:
            yield text.replace("the X", f"the {name}")
    elif text == "X of X, but the movements make X":
        yield from (text.replace("X of", f"{name} of") for name in ("debit", "credit"))
    elif text.startswith("X: X stands there"):
        yield from (text.replace("X:", f"{name}:") for name in SUMS)
    elif text == "Xneither CODA nor XML":
        yield from ("neither CODA nor XML", "X: neither CODA nor XML")
    else:
        yield text


def details() -> list[str]:
    """Every detail of a refusal in the readers and in the ingest."""
    found: list[str] = []
    folders = [ROOT / "documents/formats", ROOT / "documents/ingest"]
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        tree = ast.parse(path.read_text())
        constants = _given(tree.body)
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                found += _details_of(function, constants)
    return sorted(set(found) - OF_OPERATORS - {"X (position X)"})


def _given(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """What is assigned to each name."""
    given: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            given.setdefault(node.targets[0].id, []).append(node.value)
    return given


def _details_of(function: ast.FunctionDef, constants: dict[str, list[ast.expr]]) -> Iterator[str]:
    """The texts in the calls that make a refusal, or that were given to a name in them."""
    given = constants | _given(ast.walk(function))
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        if ast.unparse(node.func).rpartition(".")[2] in ("Refused", "wrong"):
            for value in node.args[1:3]:
                texts = given.get(value.id, []) if isinstance(value, ast.Name) else [value]
                for text in texts:
                    yield from samples(text)


def test_the_code_has_as_many_details_as_expected() -> None:
    assert len(details()) > 70


@pytest.mark.parametrize("language", ["nl", "fr", "de"])
def test_every_detail_is_said_in_each_language(language: str) -> None:
    with translation.override(language):
        english = [one for one in details() if in_reader_language(one) in (None, one)]
    # The same word in both languages.
    assert set(english) <= {"a doctype"}, english


def test_the_values_of_the_file_stay() -> None:
    with translation.override("nl"):
        said = in_reader_language("'12X' is no amount (position 33)")
    assert said == "'12X' is geen bedrag (positie 33)"
    with translation.override("fr"):
        said = in_reader_language("VAT of 21.00 on 90.00 at 21 %")
    assert said == "TVA de 21.00 sur 90.00 à 21\u00a0%"


def test_what_a_library_says_has_no_sentence() -> None:
    assert in_reader_language("Opening and ending tag mismatch: a line 1 and b") is None


def test_every_sentence_is_said_by_the_code() -> None:
    """A sentence that nothing says any more goes."""
    said = details()
    for sentence in SENTENCES:
        values_left_out = PLACEHOLDER.sub(".+", re.escape(sentence).replace("%%", "%"))
        assert any(re.fullmatch(values_left_out, one) for one in said), sentence
