"""A maker of software reads the contract, under the same strict policy as every page."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from partner_api.openapi import openapi
from tests.browser.conftest import Visitor


def test_a_developer_reads_every_call(visit: Callable[..., Visitor]) -> None:
    """Folded, and with one call of each way to authenticate unfolded."""
    developer = visit()
    developer.open("/developers/calls")
    calls = sum(len(operations) for operations in orjson.loads(openapi())["paths"].values())
    assert developer.page.locator("details.call").count() == calls
    developer.check_screen()
    for name in ("readRoot", "issueToken", "searchDocuments", "readDocumentFile"):
        developer.page.locator(f"#{name} summary").click()
    assert "documentSearch" in developer.page.locator("#searchDocuments pre").inner_text()
    developer.check_screen()
    assert developer.complaints == []


def test_without_scripts_the_document_itself_is_linked(visit: Callable[..., Visitor]) -> None:
    developer = visit(java_script_enabled=False)
    for path in ("/developers", "/developers/kinds", "/developers?q=cursor"):
        developer.open(path)
        developer.check_screen()
    developer.open("/developers/calls")
    developer.check_screen()
    developer.page.locator("#searchDocuments summary").click()
    assert "documentSearch" in developer.page.locator("#searchDocuments pre").inner_text()
    address = developer.page.locator("main a", has_text="OpenAPI 3.1").get_attribute("href")
    assert address == "/codabox-connect/openapi.json"


def test_a_maker_reads_the_samples_in_their_language(visit: Callable[..., Visitor]) -> None:
    """Without JavaScript as well; one language at a time."""
    for scripts in (True, False):
        maker = visit(java_script_enabled=scripts)
        maker.open("/developers/quick-start")
        sample = maker.page.locator(".sample").first
        assert sample.locator("pre:visible").count() == 1
        sample.get_by_role("radio", name="Java", exact=True).check()
        assert "HttpClient" in sample.locator("pre:visible").inner_text()
        assert sample.locator("pre:visible").count() == 1


def test_the_guide_is_easy_to_read(visit: Callable[..., Visitor]) -> None:
    """With a choice of language, a wide table, and what a search finds."""
    maker = visit()
    for path in ("/developers/quick-start", "/developers/kinds", "/developers?q=cursor"):
        maker.open(path)
        maker.check_screen()
