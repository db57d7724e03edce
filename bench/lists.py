"""`lists`: the office's own pages of a large office, by its people, whole and in the database.

It adds an office of 5,000 companies to the bench's database and files `--documents` for it: a
second run with more of them adds the difference.
"""

from __future__ import annotations

import argparse
import logging
import time
from datetime import date
from statistics import median, quantiles

from django.db import connection
from django.db.models import Count
from django.db.models.functions import ExtractYear
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Office, Role, User
from accounts.tenancy import office_scope
from bench import shelves
from bench.plans import explain
from bench.report import Report
from bench.seed import BIG_CLIENTS, _company_number
from clients.models import Client
from documents.filings import Place
from documents.models import Filing, Kind

SLUG = "lists"
# Every so many companies one is looked at.
STEP = 125
# A place near the end of every company's list.
DEEP = Place(date(2024, 2, 1), 1)
KIND = "kind=bank-account-statements"
PAGES = {
    "companies of the office": "",
    "years of a company": "/{number}",
    "list, newest first": "/{number}/documents",
    "list, the last page": "/{number}/documents?after={deep}",
    "list of one kind": "/{number}/documents?kind=payroll-statements",
    "list of one account, with gaps": "/{number}/documents?series=BE{pk}&" + KIND,
    "list of one year": "/{number}/documents?year=2024&" + KIND,
    "search: a word of every row": "/{number}/documents?q=nummer",
    "search: a word of one row in a hundred": "/{number}/documents?q=leverancier+13",
    "search: a word of no row": "/{number}/documents?q=niemand",
    "search: an amount": "/{number}/documents?q=1.234,56",
}


def measure(size: str, options: argparse.Namespace) -> bool:
    logging.disable(logging.INFO)
    report = Report("lists", size)
    office = Office.objects.filter(slug=SLUG).first() or _make_office()
    companies = list(office.clients.order_by("pk"))
    filings = _file(office, companies, options.documents or 200_000)
    report.note("17", "companies, documents of the office", f"{len(companies):,}, {filings:,}")
    _pages(report, office, companies[STEP // 2 :: STEP])
    _plans(report, office, companies[len(companies) // 2])
    return report.finish()


def _make_office() -> Office:
    office = Office.objects.create(slug=SLUG, name="Lists", company_number=_company_number(999))
    person = User.objects.create(email="bram@lists.example", name="Bram")
    admin = User.objects.create(email="an@lists.example", name="An")
    Membership.objects.create(office=office, user=admin, role=Role.ADMIN)
    Membership.objects.create(office=office, user=person, role=Role.USER)
    Client.objects.bulk_create(
        Client(
            office=office,
            company_number=_company_number(8_000_000 + n),
            name=f"Company {n:04}",
            code=f"L{n:04}",
        )
        for n in range(BIG_CLIENTS)
    )
    return office


def _file(office: Office, companies: list[Client], documents: int) -> int:
    """File until there are so many; return how many there are."""
    began = time.monotonic()
    with office_scope(office.pk):
        already = Filing.objects.filter(office_id=office.pk).count()
    if already >= documents:
        return already
    shelves.fill(office, companies, documents, already)
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze documents_document, documents_filing")
    took = time.monotonic() - began
    print(f"Filed {documents - already:,} documents in {took:.0f} s.\n", flush=True)
    return documents


def _pages(report: Report, office: Office, looked_at: list[Client]) -> None:
    """Each page of many companies, as a person gets it; the first visit to a company is cold."""
    browser = Browser(headers={"host": "localhost"})
    browser.force_login(User.objects.get(email="bram@lists.example"))
    root = f"/offices/{office.slug}/companies"
    for what, path in PAGES.items():
        times: list[float] = []
        cpu = time.process_time()
        queries: set[int] = set()
        for company in looked_at:
            url = root + path.format(number=company.company_number, pk=company.pk, deep=DEEP)
            with CaptureQueriesContext(connection) as asked:
                times.append(_milliseconds(browser, url))
            queries.add(len(asked))
        own = (time.process_time() - cpu) / len(times) * 1000
        p95 = quantiles(times, n=20)[-1]
        told = f"{what}: p95 of {len(times)} (median {median(times):.0f} ms, our CPU {own:.0f} ms)"
        report.at_most("17", told, p95, 100, " ms")
        report.count("17", f"{what}: statements", max(queries), 16)


def _milliseconds(browser: Browser, url: str) -> float:
    began = time.perf_counter()
    assert browser.get(url).status_code == 200  # noqa: S101
    return (time.perf_counter() - began) * 1000


def _plans(report: Report, office: Office, company: Client) -> None:
    """What the database touches for one company: its own rows, never those of the office."""
    mine = Filing.objects.filter(client=company)
    account = mine.filter(kind=Kind.BANK_ACCOUNT_STATEMENT, series=f"BE{company.pk}")
    years = mine.values_list(ExtractYear("dated_on"), "kind", "series")
    asked = {
        "years": years.annotate(documents=Count("*")),
        "list": mine.newest_first().values_list("pk")[:51],
        "list of an account": account.newest_first().values_list("pk")[:51],
        "search": mine.saying("niemand").newest_first().values_list("pk")[:51],
    }
    with office_scope(office.pk):
        rows = mine.count()
        for what, found in asked.items():
            plan = explain(*found.query.sql_with_params())
            scans = ", ".join(sorted({node for node in plan.nodes if "Scan" in node}))
            told = f"{what}: in the database, {plan.buffers:,} buffers, company of {rows:,}"
            report.at_most("6", told, plan.milliseconds, 50, " ms")
            report.true("6", f"{what}: plan", "no Seq Scan", scans, "Seq Scan" not in plan.nodes)
