"""A client of the CodaBox Connect API: all accounting software needs, in one file.

`docs/partner-api/index.md` walks through it. Every call may raise ApiError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

JSON = "application/vnd.api+json"
CODA = "application/vnd.coda.v1+cod"
PDF = "application/pdf"


class ApiError(Exception):
    """The API refused: `code` says why for programs, `detail` for people."""

    def __init__(self, status: int, code: str, detail: str, meta: dict[str, Any]) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.meta = meta


class Connect:
    """The API at `base` (…/codabox-connect) for the holder of these credentials."""

    def __init__(self, base: str, client_id: str, client_secret: str) -> None:
        self.credentials = (client_id, client_secret)
        self.http = httpx.Client(base_url=base, timeout=20)
        self.token = ""
        self.token_ends = 0.0

    def create_consent(self, company_number: str, redirect_uri: str, state: str) -> dict[str, Any]:
        """Give the open consent of an office, or ask for one. Calling it again does no harm."""
        attributes = {
            "accountingOfficeCompanyNumber": company_number,
            "redirectUri": redirect_uri,
            "state": state,
        }
        body = {"data": {"type": "accountingOfficeConsent", "attributes": attributes}}
        return self._data("POST", "/accounting-office-consents", json=body)

    def read_consent(self, consent_id: str) -> dict[str, Any]:
        return self._data("GET", f"/accounting-office-consents/{consent_id}")

    def give_up_consent(self, consent_id: str) -> None:
        self._call("DELETE", f"/accounting-office-consents/{consent_id}")

    def search(
        self, office_id: str, clients: list[str], *, since: str | None = None
    ) -> tuple[list[dict[str, Any]], str]:
        """Return all bank statements since a moment, and the moment to continue from next time."""
        found: list[dict[str, Any]] = []
        after, end = None, ""
        while after is not None or not end:
            # All pages use the end of the first: documents that arrive meanwhile come next time.
            answer = self._page(office_id, clients, {"from": since, "to": end or None}, after)
            found += answer["included"]["documents"]
            after = answer["meta"]["paging"].get("after")
            end = answer["data"]["attributes"]["to"]
        return found, end

    def _page(
        self, office_id: str, clients: list[str], window: dict[str, Any], after: str | None
    ) -> dict[str, Any]:
        body = {
            "data": {
                "type": "documentSearch",
                "attributes": {"documentType": "bankAccountStatement", **window},
                "relationships": {
                    "clients": {"data": [{"type": "client", "id": number} for number in clients]}
                },
            },
            "meta": {"paging": {"limit": 500, "after": after}},
        }
        path = f"/accounting-offices/{office_id}/document-searches"
        answer: dict[str, Any] = self._call("POST", path, json=body).json()
        return answer

    def download(self, office_id: str, client: str, document_id: str, media_type: str) -> bytes:
        """The bytes of the file. An error is raised, so that nobody saves it as the file."""
        where = f"/accounting-offices/{office_id}/clients/{client}"
        path = f"{where}/bank-account-statements/{document_id}"
        return self._call("GET", path, headers={"Accept": media_type}).content

    def download_slowly(
        self, office_id: str, client: str, document_id: str, halfway: Callable[[], object]
    ) -> int:
        """Read a file piece by piece, do something after the first, and return the bytes read.

        Raises when the connection ends before `Content-Length`: the file is not complete then.
        """
        path = f"/accounting-offices/{office_id}/clients/{client}/bank-account-statements"
        headers = {"Authorization": f"Bearer {self.token}", "Accept": CODA}
        read = 0
        with self.http.stream("GET", f"{path}/{document_id}", headers=headers) as answer:
            for piece in answer.iter_bytes(16 * 1024):
                if not read:
                    halfway()
                read += len(piece)
                time.sleep(0.001)
        return read

    def enter_situation(self, name: str, company_number: str) -> dict[str, Any]:
        """Put this software into a situation (the demo's sandbox, not part of the API)."""
        sandbox = str(self.http.base_url).replace("/codabox-connect/", "/demo/situations")
        form = {"situation": name, "office": company_number}
        told: dict[str, Any] = _checked(
            self.http.post(sandbox, data=form, auth=self.credentials)
        ).json()
        return told

    def downloads(
        self, office_id: str, documents: list[dict[str, Any]], media_type: str
    ) -> Iterator[bytes]:
        """The files of search results, one after the other."""
        for document in documents:
            client = document["relationships"]["client"]["data"]["id"]
            yield self.download(office_id, client, document["id"], media_type)

    def _data(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        data: dict[str, Any] = self._call(method, path, **options).json()["data"]
        return data

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        if time.monotonic() > self.token_ends:
            self._renew_token()
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return _checked(self.http.request(method, path, headers=headers, **options))

    def _renew_token(self) -> None:
        """A token lasts half an hour; a new one is taken a minute before the old one ends."""
        form = {"grant_type": "client_credentials"}
        answer = _checked(self.http.post("/oauth2/token", data=form, auth=self.credentials)).json()
        self.token = answer["access_token"]
        self.token_ends = time.monotonic() + answer["expires_in"] - 60


def _checked(response: httpx.Response) -> httpx.Response:
    """Return a good response, or raise ApiError with the first error."""
    if response.is_success:
        return response
    body = response.json()
    error = body["errors"][0] if "errors" in body else body
    raise ApiError(
        response.status_code,
        error.get("code") or error.get("error", ""),
        error.get("detail") or error.get("error_description", ""),
        error.get("meta", {}),
    )
