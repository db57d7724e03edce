"""`pages`: the pages of a large office as its Admin opens them; goal 17.

The Admin is logged in and asks over HTTP, as a browser does. The office has `--companies` and
`--documents`; a second run with larger numbers adds the difference. Buffers say how a page grows,
whatever else the machine does; the heaviest statement of a page that misses its goal is printed.
"""

from __future__ import annotations

import argparse
import logging
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from statistics import median, quantiles
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Office, User
from bench import large_office
from bench.calls import Asker, Call
from bench.explain import explain
from bench.report import Report
from bench.servers import Server, serving
from clients.models import Client
from core.row_security import office_scope

# So many times each page is asked for, of as many companies where it is a company's.
# An office with fewer companies is looked at less often.
LOOKS = 40
READS = re.compile(r"\s*(?:select(?! set_config)|with)\b", re.IGNORECASE)
KIND = "kind=bank-account-statements"
COMPANY = "/companies/{number}"
USUAL, NEW = 150, 300  # milliseconds


class Page(NamedTuple):
    """A page, below the address of the office; `must` is its goal, the p95 in milliseconds."""

    what: str
    path: str
    must: float = USUAL


PAGES = [
    Page("home", ""),
    Page("search: a word of one document in a hundred", "/search?q=leverancier+13", NEW),
    Page("search: a word of every document", "/search?q=nummer", NEW),
    Page("search: a word of no document", "/search?q=niemand", NEW),
    Page("search: an amount", "/search?q=1.234,56", NEW),
    Page("search: a company", "/search?q=Company+{serial}", NEW),
    Page("completeness", "/completeness", NEW),
    Page("completeness: something missing", "/completeness?show=missing", NEW),
    Page("completeness: not downloaded", "/completeness?show=not_downloaded", NEW),
    Page("companies", "/companies"),
    Page("companies: a name", "/companies?q={serial}"),
    Page("company: its years", COMPANY),
    Page("company: its completeness", f"{COMPANY}/completeness"),
    Page("company: who read what", f"{COMPANY}/who"),
    Page("documents, newest first", f"{COMPANY}/documents"),
    Page("documents, the last page", f"{COMPANY}/documents?after={{deep}}"),
    Page("documents of one kind", f"{COMPANY}/documents?kind=payroll-statements"),
    Page("documents of one account, with gaps", f"{COMPANY}/documents?series=BE{{pk}}&{KIND}"),
    Page("documents of one year", f"{COMPANY}/documents?year={{year}}&{KIND}"),
    Page("documents: a word of no document", f"{COMPANY}/documents?q=niemand"),
    Page("documents: an amount", f"{COMPANY}/documents?q=1.234,56"),
    Page("consents", "/consents"),
    Page("consent", "/consents/{consent}"),
    Page("consent: its companies", "/consents/{consent}/companies"),
    Page("consent: its scope", "/consents/{consent}/scope"),
]
# Of any page, with any number of rows.
MOST_STATEMENTS = 32


def measure(size: str, options: argparse.Namespace) -> bool:
    logging.disable(logging.INFO)
    report = Report("pages", size)
    office = large_office.prepared(options.companies, options.documents or 200_000)
    companies = list(office.clients.order_by("pk"))
    documents = large_office.count_of(office)
    report.note("17", "companies, documents", f"{len(companies):,}, {documents:,}", documents)
    browser = Browser(headers={"host": "localhost"})
    browser.force_login(User.objects.get(email=large_office.ADMIN))
    looks = min(LOOKS, options.companies)
    looked_at = companies[:: len(companies) // looks][:looks]
    with serving("ours", threads=options.threads) as servers:
        for page in PAGES:
            addresses = list(_addresses(page, office, looked_at))
            met = _times(report, page, servers["ours"], _cookie(browser), addresses)
            _statements(report, page, browser, addresses[len(addresses) // 2], office, met=met)
    return report.finish()


def _addresses(page: Page, office: Office, companies: list[Client]) -> Iterator[str]:
    consents = cycle(office.consents.order_by("pk").values_list("uuid", flat=True))
    today = timezone.localdate()
    for company, consent in zip(companies, consents, strict=False):
        yield f"/offices/{office.slug}" + page.path.format(
            number=company.company_number,
            serial=company.name.split()[-1],
            pk=company.pk,
            deep=f"{today - timedelta(10)}_1",
            year=today.year,
            consent=consent,
        )


def _cookie(browser: Browser) -> str:
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={browser.cookies[name].value}"


def _times(report: Report, page: Page, server: Server, cookie: str, addresses: list[str]) -> bool:
    asker = Asker(server.port)
    headers = {"Cookie": cookie, "Accept": "text/html"}
    times, cpu = [], server.cpu_seconds()
    for address in addresses:
        began = time.perf_counter()
        answer = asker.ask(Call("GET", address, headers))
        times.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"{address} was answered {answer.status}")
    own = (server.cpu_seconds() - cpu) / len(times) * 1000
    p95 = quantiles(times, n=20)[-1]
    label = f"{page.what}: p95 (p50 {median(times):.0f} ms, our CPU {own:.0f} ms)"
    return report.at_most("17", label, p95, page.must, " ms")


def _statements(
    report: Report, page: Page, browser: Browser, address: str, office: Office, *, met: bool
) -> None:
    """How many statements the page sends, and which of them reads most."""
    with CaptureQueriesContext(connection) as asked:
        browser.get(address)
    report.count("17", f"{page.what}: statements", len(asked), MOST_STATEMENTS)
    sent = [query["sql"] or "" for query in asked.captured_queries]
    reads = [sql for sql in sent if READS.match(sql)]
    with office_scope(office.pk):
        plans = [(explain(sql, None, times=1), sql) for sql in reads]
    plan, heaviest = max(plans, key=lambda planned: planned[0].buffers)
    total = sum(plan.buffers for plan, _sql in plans)
    words = " ".join(heaviest.split())
    what = f"{page.what}: buffers; of which its heaviest statement, {plan.milliseconds:.1f} ms"
    report.note("17", what, f"{total:,}; {plan.buffers:,}", total)
    if not met:
        print(f"{page.what}, {plan.milliseconds:.1f} ms, {', '.join(plan.nodes)}:")
        print(f"{words[:1500]}\n", flush=True)
