"""What a page of the admin shows, its reader may use: no link or button that ends in a 403."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import lxml.html
import pytest
from django.urls import Resolver404, resolve

from backoffice.roles import ROLES, OperatorRole
from tests import factories
from tests.backoffice.test_operators import proven
from tests.backoffice.test_permissions import OPEN, OWN_PAGES
from tests.backoffice.test_roles import CLOSED, EDITED, rights_for, with_role
from tests.backoffice.test_writes import admin_urls
from tests.conftest import Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(109, 113)
# Pages that many pages link to: with rows found, and with a list cut down.
FURTHER = ["/admin/search/?q=Janssens", "/admin/search/?q=Ledgerly"]


def may(rights: set[str], name: str, method: str) -> bool:
    """Whether these rights open this page; tests/backoffice/test_roles.py tries each."""
    if name.startswith("nothing at ") or name == "admin:autocomplete":
        return False
    if name in OPEN or name.endswith("_redirect"):
        return True
    closed = name not in OWN_PAGES and name not in EDITED and name.endswith(CLOSED[method])
    return not closed and bool(rights & rights_for(name, method))


def named(path: str) -> str:
    """The name of a page of the admin, empty for a page of the portal itself."""
    try:
        found = resolve(urlsplit(path).path)
    except Resolver404:
        return f"nothing at {path}"
    return found.view_name if found.view_name.startswith("admin:") else ""


def offers(page: Any, path: str) -> Iterator[tuple[str, str]]:
    """The address and the method of each link and form on a page, of this site."""
    found = lxml.html.fromstring(page.content)
    for link in found.iter("a"):
        target = urljoin(path, link.get("href") or path)
        if not target.startswith("mailto:"):
            yield target, "get"
    for form in found.iter("form"):
        buttons = form.xpath(".//button[@type='submit'] | .//input[@type='submit']")
        if buttons or form.get("id") == "changelist-form":
            yield urljoin(path, form.get("action") or path), (form.get("method") or "get").lower()


@pytest.mark.parametrize("role", OperatorRole.values)
def test_no_page_offers_what_the_role_may_not_use(
    cast: Cast, role: str, record_property: Any
) -> None:
    """All links and forms of all pages that the role may open."""
    allow(cast.consent, cast.anna)
    factories.make_office("Empty")
    browser, rights = proven(with_role(role)), set(ROLES[OperatorRole(role)])
    paths = [path for name, path in admin_urls(cast).items() if may(rights, name, "get")]
    paths += [path for path in FURTHER if may(rights, "admin:search", "get")]
    dead, seen = set(), 0
    for path in paths:
        page = browser.get(path)
        if page.status_code != 200 or not page["Content-Type"].startswith("text/html"):
            continue
        for target, method in offers(page, path):
            name = named(target)
            # A list is a form as well, for its actions: without one it has nothing to send.
            if name.endswith("_changelist") and method == "post":
                continue
            seen += bool(name)
            if name and not may(rights, name, method):
                dead.add((named(path), method, name))
    assert dead == set()
    assert seen > 50
    record_property("measured", f"{role}: {seen} links and forms on {len(paths)} pages")
