"""The guide for makers of software: the pages of docs/partner-api, as the portal serves them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from markdown_it import MarkdownIt
from markdown_it.token import Token

FOLDER = settings.BASE_DIR / "docs" / "partner-api"
FIRST = "index"
# In the order of the menu; each name is a file.
GROUPS = (
    ("Begin", (FIRST, "quick-start", "sandbox")),
    ("Build", ("kinds", "changes", "good-practice", "webhooks", "acknowledgements")),
    ("Look up", ("errors", "limits")),
    ("Stay informed", ("versions", "changelog")),
)
NAMES = tuple(name for _group, names in GROUPS for name in names)
LONGEST_QUERY = 100
# The languages of samples, as a fence names them. Those that stand together are one sample.
LANGUAGES = {
    "bash": "curl",
    "python": "Python",
    "typescript": "TypeScript",
    "php": "PHP",
    "java": "Java",
    "csharp": "C#",
}


class Section(NamedTuple):
    """A heading of a page with the text below it."""

    page: str
    page_title: str
    title: str
    anchor: str
    text: str

    @property
    def url(self) -> str:
        return f"{url_of(self.page)}#{self.anchor}"


class Page(NamedTuple):
    """One page: its title, its HTML, and its sections."""

    name: str
    title: str
    html: str
    sections: Sequence[Section]

    @property
    def url(self) -> str:
        return url_of(self.name)


class MenuGroup(NamedTuple):
    """Pages that stand together in the menu."""

    title: str
    pages: Sequence[Page]


def url_of(name: str) -> str:
    if name == FIRST:
        return reverse("partner_api:developers")
    return reverse("partner_api:guide", args=[name])


@cache
def page(name: str) -> Page:
    """The page of this name; raises KeyError for another one."""
    if name not in NAMES:
        raise KeyError(name)
    return _rendered(name, (FOLDER / f"{name}.md").read_text())


@cache
def menu() -> list[MenuGroup]:
    return [MenuGroup(title, [page(name) for name in names]) for title, names in GROUPS]


def search(query: str) -> list[Section]:
    """The sections in which every word is found; those with a word in their title come first."""
    words = query[:LONGEST_QUERY].lower().split()
    if not words:
        return []
    found = [
        section
        for name in NAMES
        for section in page(name).sections
        if all(word in f"{section.title} {section.text}".lower() for word in words)
    ]
    return sorted(
        found, key=lambda section: not any(word in section.title.lower() for word in words)
    )


def _rendered(name: str, text: str) -> Page:
    # HTML in a page is shown as text: the pages are written in Markdown alone.
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    for token in _all(tokens):
        if token.type == "link_open":
            token.attrSet("href", _served(str(token.attrGet("href"))))
    title = _plain(tokens[1])
    sections = list(_sections(name, title, tokens))
    framed = list(_framed(_with_samples(tokens)))
    html = reader.renderer.render(framed, reader.options, {})
    return Page(name, title, html, sections)


def _all(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())


def _served(href: str) -> str:
    """A link to a file of the folder leads to its page."""
    found = re.fullmatch(r"([a-z-]+)\.md(#.*)?", href)
    return url_of(found[1]) + (found[2] or "") if found else href


def _sections(name: str, page_title: str, tokens: Sequence[Token]) -> Iterator[Section]:
    """Give each heading its anchor, and collect what stands below it."""
    heading: tuple[str, str] | None = None
    texts: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            if heading:
                yield Section(name, page_title, *heading, " ".join(texts))
            title = _plain(tokens[place + 1])
            anchor = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
            token.attrSet("id", anchor)
            heading, texts = (title, anchor), []
        elif token.type in ("inline", "fence"):
            texts.append(_plain(token))
    if heading:
        yield Section(name, page_title, *heading, " ".join(texts))


def _plain(token: Token) -> str:
    if token.children is None:
        return token.content
    return "".join(child.content if child.content else " " for child in token.children)


def _with_samples(tokens: Sequence[Token]) -> Iterator[Token]:
    """Put the languages of one sample behind a choice, which works without JavaScript."""
    groups = groupby(tokens, key=lambda token: token.info in LANGUAGES)
    for number, (is_sample, group) in enumerate(groups):
        if not is_sample:
            yield from group
            continue
        panes = [(LANGUAGES[token.info], token.info, token.content) for token in group]
        sample = Token("html_block", "", 0)
        sample.content = render_to_string(
            "partner_api/sample.html", {"name": f"sample-{number}", "panes": panes}
        )
        yield sample


def _framed(tokens: Iterable[Token]) -> Iterator[Token]:
    """What may be wider than a phone scrolls by itself, also by the keyboard."""
    for token in tokens:
        if token.type == "table_open":
            frame = Token("frame_open", "div", 1, block=True)
            for attribute, value in (("class", "scroll"), ("tabindex", "0"), ("role", "region")):
                frame.attrSet(attribute, value)
            frame.attrSet("aria-label", "Table")
            yield frame
        if token.type == "fence":
            token.attrSet("tabindex", "0")
        yield token
        if token.type == "table_close":
            yield Token("frame_close", "div", -1, block=True)
