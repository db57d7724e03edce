"""The guide at /developers: the pages of docs/partner-api, served by the portal."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client as Browser

from core.document_kinds import KINDS
from partner_api import guide
from partner_api.guide import FOLDER, NAMES


def test_every_page_of_the_folder_is_in_the_menu() -> None:
    assert sorted(NAMES) == sorted(file.stem for file in FOLDER.glob("*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_served_with_its_menu(name: str, client: Browser, db: None) -> None:
    answer = client.get(guide.url_of(name))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert f"<title>{guide.page(name).title}" in text
    for other in NAMES:
        assert f'href="{guide.url_of(other)}"' in text
    # A link that leads to a file of the repository would be lost here.
    assert not re.findall(r'href="[^"]*\.md', text)


def test_every_anchor_that_a_page_links_to_is_there(client: Browser, db: None) -> None:
    for name in NAMES:
        for href in re.findall(r'href="(/developers[^"]*)"', guide.page(name).html):
            path, _, anchor = href.partition("#")
            text = client.get(path).content.decode()
            assert not anchor or f'id="{anchor}"' in text, href


def test_another_page_is_unknown(client: Browser, db: None) -> None:
    assert client.get("/developers/nowhere").status_code == 404


def test_the_search_finds_sections_and_shows_where_they_are(client: Browser, db: None) -> None:
    found = guide.search("feed cursor wait nowhere-at-all")
    assert found == []
    assert "The event feed" in [section.title for section in guide.search("event feed")]
    text = client.get("/developers", {"q": "event feed"}).content.decode()
    assert 'href="/developers/webhooks#the-event-feed"' in text
    text = client.get("/developers", {"q": "<script>"}).content.decode()
    assert "<script>alert" not in text
    assert "Nothing was found" in text


def test_html_in_a_page_is_shown_and_not_run() -> None:
    assert "<b>" not in guide._rendered("index", "# A <b>title</b>\n\n<b>text</b>\n").html


def test_the_table_of_kinds_is_that_of_the_registry() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \|.*\| `(\w+)` \| (.*) \|$",
        (FOLDER / "kinds.md").read_text(), re.MULTILINE)  # fmt: skip
    assert [row[:3] for row in rows] == [(k.type, k.path, k.date_attribute) for k in KINDS]
    for kind, row in zip(KINDS, rows, strict=True):
        for media_type in (kind.media_type, *kind.aliases):
            assert media_type in row[3] or "availableContentTypes" in row[3]


def test_a_sample_is_served_letter_by_letter() -> None:
    text = (FOLDER / "quick-start.md").read_text()
    html = guide.page("quick-start").html
    for language in guide.LANGUAGES:
        written = re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)
        served = re.findall(rf'<pre class="pane-{language}"[^>]*><code>(.*?)</code>', html, re.S)
        assert [unescape(each) for each in served] == written
