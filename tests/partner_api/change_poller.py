"""Software that keeps a copy of what it may read, from the list of changes alone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from django.test import Client as Browser

from accounts.models import Office


class ChangePoller:
    """Keeps the cursor and the copy; `fail` says what went wrong in the history."""

    def __init__(
        self, office: Office, token: str, http: Browser, fail: Callable[[str], None]
    ) -> None:
        self.office, self.token, self.http, self.fail = office, token, http, fail
        self.after: str | None = None
        self.copy: set[str] = set()

    def poll(self, dice: Random, *, to_the_end: bool = False) -> bool:
        """Some pages, or all there are; False where access is refused."""
        while True:
            limit = dice.choice([1, 2, 3, 5, 1000])
            page = self.page(limit)
            if page is None:
                return False
            if not to_the_end and dice.random() < 0.1:
                return True  # It died before it kept the page, and asks for the same again.
            self.keep(page)
            if len(page["data"]) < limit or (not to_the_end and dice.random() < 0.3):
                return True

    def page(self, limit: int) -> dict[str, Any] | None:
        query = {"limit": limit} | ({"after": self.after} if self.after else {})
        answer = self.http.get(
            f"/codabox-connect/accounting-offices/{self.office.uuid}/document-changes",
            query,
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert answer.status_code in (200, 403), answer.content
        found: dict[str, Any] = answer.json()
        return found if answer.status_code == 200 else None

    def keep(self, page: dict[str, Any]) -> None:
        included = {document["id"] for document in page["included"]["documents"]}
        available = set()
        for change in page["data"]:
            document = change["relationships"]["document"]["data"]["id"]
            if change["attributes"]["change"] == "available":
                available.add(document)
                if document in self.copy:
                    self.fail(f"{document} came twice")
                self.copy.add(document)
            else:
                self.copy.discard(document)
        if available != included:
            self.fail(f"included {included}, available {available}")
        self.after = page["meta"]["paging"]["after"]
