"""A software maker reads the contract, under the same strict policy as every page."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Visitor


def test_a_developer_reads_every_call(visit: Callable[..., Visitor]) -> None:
    developer = visit()
    developer.open("/developers")
    developer.page.wait_for_selector(".opblock")
    assert developer.page.locator(".opblock").count() == 15
    assert developer.complaints == []


def test_without_scripts_the_document_itself_is_linked(visit: Callable[..., Visitor]) -> None:
    developer = visit(java_script_enabled=False)
    developer.open("/developers")
    developer.check_screen()
    address = developer.page.locator("main a", has_text="OpenAPI").get_attribute("href")
    assert address == "/codabox-connect/openapi.json"
