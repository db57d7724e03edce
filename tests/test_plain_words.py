"""One word for one thing: the old private words are used in no name, docstring, comment or page.

docs/glossary.md has the words that took their place.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The old word, as a pattern of whole words, and what is said now.
OLD_WORDS = {
    r"ledgers?": "hash chain",
    r"company mails?": "outgoing e-mail",
    r"evidence packs?": "evidence bundle",
    r"hand ?backs?": "return redirect",
    r"end again|ended file": "restore guard, reapply_cancellations",
    r"re ?accept(?:s|ing|ance)?": "terms acceptance",
    r"told of acts": "operator e-mails",
    r"shelf": "seeded documents",
    r"an? softwares?|softwares": "software, without article and plural",
}
# Where an old word stays, and why.
EXCEPTIONS = {
    "CHANGELOG.md": "tells the old names of settings and commands beside the new ones",
    "demo/data/logo.py": "the logo of the demo software shows an open ledger",
    "locale/de/glossary.md": "lists what is not said",
    "locale/en/glossary.md": "lists what is not said",
    "pyproject.toml": "the spelling checker's list of words",
    "tests/test_plain_words.py": "lists the old words",
}


def files() -> list[str]:
    told = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.toml", "*.html", "*.txt", "*.css", "*.js"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [path for path in told if path not in EXCEPTIONS and (ROOT / path).is_file()]


def in_words(name: str) -> str:
    """A name as separate words: `test_JointAct_ends` becomes `test joint act ends`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.sub(r"[\W_]+", " ", apart).lower()


def said(path: str) -> Iterator[tuple[int, str]]:
    """The names, docstrings and comments of a file, or the words of a page, with their lines."""
    yield 0, in_words(path)
    text = (ROOT / path).read_text()
    if path.endswith(".md"):
        for number, line in enumerate(text.splitlines(), 1):
            yield number, in_words(line)
    if not path.endswith(".py") or "/migrations/" in path:
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NAME, tokenize.COMMENT):
            yield token.start[0], in_words(token.string)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield getattr(node, "lineno", 1), in_words(docstring)


def test_no_old_word_is_used() -> None:
    old = re.compile(rf"\b(?:{'|'.join(OLD_WORDS)})\b")
    found = [
        f"{path}:{line}: {match.group()}"
        for path in files()
        # Most files have no such word anywhere, so few are read token by token.
        if old.search(in_words(f"{path} {(ROOT / path).read_text()}"))
        for line, words in said(path)
        if (match := old.search(words))
    ]
    assert not found, "\n".join(found)


def test_every_exception_is_needed() -> None:
    """A file that is gone, or has no old word any more, is no exception."""
    old = re.compile(rf"\b(?:{'|'.join(OLD_WORDS)})\b")
    for path in EXCEPTIONS:
        assert old.search(in_words((ROOT / path).read_text())), path


def test_a_name_is_read_as_words() -> None:
    assert in_words("test_JointAct_ends") == "test joint act ends"
    assert in_words("consents/test_ledger.py") == "consents test ledger py"


# No name of the product says what it holds with one of these; a sentence may.
VAGUE_NAMES = re.compile(r"\b(?:told|story|papers?)\b")


def test_no_name_of_the_product_is_vague() -> None:
    outside = ("tests/", "bench/", "demo/", "devtools/")
    found = []
    for path in files():
        if not path.endswith(".py") or path.startswith(outside) or "/migrations/" in path:
            continue
        text = (ROOT / path).read_text()
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and VAGUE_NAMES.search(in_words(token.string)):
                found.append(f"{path}:{token.start[0]}: {token.string}")
    assert not found, "\n".join(found)
