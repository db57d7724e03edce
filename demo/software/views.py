"""Ledgerly's pages: connect an office, return from the portal, see statements, download files."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from demo.software import state
from demo.software.client import CODA, PDF, ApiError, Connect
from demo.software.coda import balances

ADVICE = {
    "consentNotConfirmed": "The office does not allow us (any more). Ask it, then connect again.",
    "consentPaused": "The office paused our access. It can resume it; we need to do nothing.",
    "termsToBeReaccepted": "The office has to accept the new terms at the portal first.",
    "partnerSuspended": "Ledgerly itself is suspended at the portal. Our support is on it.",
    "accountingOfficeSuspended": "The portal suspended this office for now.",
    "documentTypeNotAllowed": "Ledgerly is not registered for this kind of document.",
    "documentTypeNotShared": "The office does not share this kind of document.",
    "blockedByAccountingOffice": "The office does not want requests of ours.",
    "unknownAccountingOffice": "The portal knows no accounting office with this number.",
    "tooManyRequests": "We asked too often, or too soon after a refusal. Try again later.",
    "unauthorized": "Our credentials are no longer accepted.",
    "temporarilyUnavailable": "The portal is away for a moment. Try again.",
}
SITUATIONS = {
    "normal": "Allowed: everything works.",
    "waiting": "The office has not answered yet.",
    "denied": "The office refused; asking again at once is refused as well.",
    "lapsed": "Nobody answered for 30 days.",
    "cancelled": "The office withdrew what it gave.",
    "long_download": "The office cancels while a long file is being read.",
    "paused": "The office paused access.",
    "suspended": "The portal suspended us.",
    "throttled": "We may call once a minute.",
    "broken": "The portal crashes.",
}
SHOWN = 12
FORMATS = {"coda": (CODA, "cod"), "pdf": (PDF, "pdf")}
_clients: dict[str, Connect] = {}


def connect() -> Connect:
    """The API client for the credentials of the moment; it keeps its token."""
    told = state.told()
    me = told["partners"][0]
    if me["clientId"] not in _clients:
        _clients[me["clientId"]] = Connect(told["api"], me["clientId"], me["clientSecret"])
    return _clients[me["clientId"]]


def office_told(number: str) -> dict[str, Any]:
    for office in state.told()["offices"]:
        if office["companyNumber"] == number:
            known: dict[str, Any] = office
            return known
    raise Http404


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The offices that use Ledgerly, and which of them are connected."""
    known = state.remembered()
    offices = [
        {**office, **known.get(office["companyNumber"], {}), "size": len(office["clients"])}
        for office in state.told()["offices"]
    ]
    return render(request, "home.html", {"offices": offices, "portal": state.told()["portal"]})


@require_POST
def start(request: HttpRequest, number: str) -> HttpResponse:
    """Ask for the consent and send the person to the portal."""
    office_told(number)
    word = secrets.token_urlsafe(16)
    back = state.told()["partners"][0]["redirectUris"][0]
    try:
        consent = connect().create_consent(number, back, word)
    except ApiError as error:
        return refusal(request, number, error)
    attributes = consent["attributes"]
    state.remember(
        number,
        consent=consent["id"],
        office_id=attributes["accountingOfficeId"],
        word=word,
        status=attributes["status"],
    )
    return redirect(attributes["confirmationUri"])


@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """The person is back. Only `state` in the address is checked; the API says what was decided."""
    for number, known in state.remembered().items():
        same = secrets.compare_digest(known.get("word", ""), request.GET.get("state", ""))
        if same and known["consent"] == request.GET.get("accountingOfficeConsentId"):
            return redirect("result", number=number)
    return render(request, "strange.html", status=400)


@require_safe
def result(request: HttpRequest, number: str) -> HttpResponse:
    """What the office answered, read from the API."""
    known = state.remembered().get(number)
    if known is None:
        raise Http404
    try:
        attributes = connect().read_consent(known["consent"])["attributes"]
    except ApiError as error:
        return refusal(request, number, error)
    state.remember(number, status=attributes["status"])
    return render(
        request,
        "result.html",
        {"office": office_told(number), "consent": attributes, "id": known["consent"]},
    )


@require_safe
def statements(request: HttpRequest, number: str) -> HttpResponse:
    """The companies of an office and their newest statements, with balances from the files."""
    office, known = office_told(number), state.remembered().get(number)
    if known is None:
        return redirect("home")
    names = {client["companyNumber"]: client["name"] for client in office["clients"]}
    api = connect()
    try:
        found, end = api.search(known["office_id"], list(names)[:5000])
        newest = found[::-1][:SHOWN]
        files = list(api.downloads(known["office_id"], newest, CODA))
    except ApiError as error:
        return refusal(request, number, error)
    state.remember(number, fetched_to=end, count=len(found), status="confirmed")
    rows = [
        {
            "id": document["id"],
            "client": document["relationships"]["client"]["data"]["id"],
            "name": names[document["relationships"]["client"]["data"]["id"]],
            "iban": document["attributes"]["iban"],
            **balances(file)._asdict(),
        }
        for document, file in zip(newest, files, strict=True)
    ]
    context = {"office": office, "rows": rows, "count": len(found), "companies": len(names)}
    return render(request, "statements.html", context)


@require_safe
def download(
    request: HttpRequest, number: str, client: str, document: str, form: str
) -> HttpResponse:
    """Pass a file on. A refusal is a page that says so, never a file."""
    known = state.remembered().get(number)
    if known is None or form not in FORMATS:
        raise Http404
    media_type, extension = FORMATS[form]
    try:
        file = connect().download(known["office_id"], client, document, media_type)
    except ApiError as error:
        return refusal(request, number, error)
    name = f"{client}-{document[:8]}.{extension}"
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(file, content_type=media_type, headers={"Content-Disposition": disposition})


@require_POST
def give_up(request: HttpRequest, number: str) -> HttpResponse:
    """Tell the portal that we no longer want access."""
    known = state.remembered().get(number)
    if known is None:
        raise Http404
    try:
        connect().give_up_consent(known["consent"])
    except ApiError as error:
        return refusal(request, number, error)
    return redirect("result", number=number)


@require_safe
def sandbox(request: HttpRequest, number: str) -> HttpResponse:
    """The page with a button for every situation of the contract."""
    return render(request, "sandbox.html", {"office": office_told(number), "names": SITUATIONS})


@require_POST
def try_situation(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """Enter a situation and show what the API answers to the usual calls."""
    office = office_told(number)
    if name not in SITUATIONS:
        raise Http404
    api = connect()
    told = api.enter_situation(name, number)
    attempts = [attempt(lambda: api.read_consent(told["consent"]), "GET the consent")]
    known = state.remembered().get(number, {})
    office_id = known.get("office_id") or office_id_of(attempts[0])
    if office_id:
        clients = [client["companyNumber"] for client in office["clients"]][:10]
        attempts.append(attempt(lambda: api.search(office_id, clients)[1], "POST a search"))
    if name == "denied":
        back = state.told()["partners"][0]["redirectUris"][0]
        attempts.append(
            attempt(lambda: api.create_consent(number, back, "x"), "POST another request")
        )
    if "document" in told and office_id:
        attempts.append(
            attempt(
                lambda: api.download_slowly(
                    office_id,
                    told["client"],
                    told["document"],
                    lambda: api.enter_situation("cancelled", number),
                ),
                "GET a long file, cancelled while it runs",
            )
        )
    context = {"office": office, "name": name, "about": SITUATIONS[name], "attempts": attempts}
    return render(request, "situation.html", context)


def attempt(call: Callable[[], Any], title: str) -> dict[str, Any]:
    """Make the call and return its result, also when it is an error."""
    try:
        return {"title": title, "answer": call()}
    except ApiError as error:
        return {"title": title, "error": error, "advice": ADVICE.get(error.code, "")}
    except httpx.HTTPError as error:
        return {"title": title, "broken": f"{type(error).__name__}: {error}"}


def office_id_of(read: dict[str, Any]) -> str:
    answer = read.get("answer") or {"attributes": {}}
    return str(answer["attributes"].get("accountingOfficeId", ""))


def refusal(request: HttpRequest, number: str, error: ApiError) -> HttpResponse:
    """The page with the error of the API and what to do about it."""
    if error.code in ("consentNotConfirmed", "notFound"):
        state.remember(number, status="denied")
    advice = ADVICE.get(error.code, "Something we did not expect. Our support will look at it.")
    context = {"office": office_told(number), "error": error, "advice": advice}
    return render(request, "refusal.html", context, status=200)


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    text = (Path(__file__).parent / "ledgerly.css").read_text()
    return HttpResponse(text, content_type="text/css", headers={"Cache-Control": "max-age=60"})


urlpatterns = [
    path("", home, name="home"),
    path("callback", callback, name="callback"),
    path("ledgerly.css", style, name="style"),
    path("offices/<str:number>/connect", start, name="connect"),
    path("offices/<str:number>/result", result, name="result"),
    path("offices/<str:number>/give-up", give_up, name="give_up"),
    path("offices/<str:number>/sandbox", sandbox, name="sandbox"),
    path("offices/<str:number>/sandbox/<str:name>", try_situation, name="try_situation"),
    path("offices/<str:number>", statements, name="statements"),
    path("offices/<str:number>/<str:client>/<str:document>.<str:form>", download, name="download"),
]
