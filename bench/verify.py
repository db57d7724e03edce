"""`verify`: check that all servers answer the same; otherwise their times say nothing."""

from __future__ import annotations

import argparse
import hashlib
from typing import Any

from bench import calls, participants, statements
from bench.calls import Asker, Call
from bench.report import Report
from bench.servers import serving, with_fastify

THREE = ["ours", "floor", "peer"]
# A bound, in case the cursors never end.
MOST_PAGES = 40


def measure(size: str, options: argparse.Namespace) -> bool:
    statements.write()
    report = Report("verify", size)
    who = participants.credentials()
    names = with_fastify(THREE)
    with serving(*names, threads=options.threads) as servers:
        askers = {name: Asker(server.port) for name, server in servers.items()}
        report.note("", "servers", ", ".join(names))
        for what, page in _searches(who).items():
            _compare_searches(report, askers, what, page)
        _compare_documents(report, askers, who)
    return report.finish()


Pages = Any  # a function from a cursor to the call of that page


def _searches(who: participants.Credentials) -> dict[str, Pages]:
    """Each way to find documents: a whole office, a part of it, a few clients; short and long."""
    medium, big = (
        participants.office(participants.OF_RUN),
        participants.office(f"{participants.BIG}-0"),
    )
    hundred, every = participants.numbers(medium, 100), participants.numbers(big)

    def pages(office: Any, numbers: list[str], days: int, limit: int) -> Pages:
        window = calls.last(days)
        return lambda after: calls.search(who, office.uuid, numbers, window, limit, after)

    return {
        "100 clients, 2 years, pages of 100": pages(medium, hundred, 728, 100),
        "5,000 clients, 7 days, pages of 1,000": pages(big, every, 7, 1000),
        "2,500 of 5,000 clients, 30 days": pages(big, every[::2], 30, 1000),
        "10 of 5,000 clients, 2 years": pages(big, every[::500], 728, 100),
        "1 client and an unknown one": pages(big, [every[0], "1999999907"], 728, 100),
    }


def _compare_searches(report: Report, askers: dict[str, Asker], what: str, page: Pages) -> None:
    found = {name: _walk(asker, page) for name, asker in askers.items()}
    ids = {name: [document["id"] for document in seen] for name, seen in found.items()}
    same = all(each == ids["ours"] for each in ids.values()) and bool(ids["ours"])
    # The peer speaks plain JSON:API.
    same = same and all(found[name] == found["ours"] for name in found if name != "peer")
    counts = " / ".join(f"{len(each):,}" for each in ids.values())
    report.true("", what, "the same ids in the same order", f"{counts} ids", same)


def _walk(asker: Asker, page: Pages) -> list[dict[str, Any]]:
    """All documents of a search, page by page."""
    after, found = None, []
    for _ in range(MOST_PAGES):
        answer = asker.ask(page(after))
        if answer.status != 201:
            raise RuntimeError(f"a search was answered {answer.status}: {answer.body[:400]!r}")
        body = answer.json()
        # The peer speaks plain JSON:API.
        found += body["included"]["documents"] if "included" in body else body["data"]
        after = body["meta"]["paging"].get("after")
        if after is None:
            break
    return found


def _compare_documents(
    report: Report, askers: dict[str, Asker], who: participants.Credentials
) -> None:
    office = participants.office(participants.OF_RUN)
    for name, file in participants.files(office).items():
        path = (office.uuid, file.number, file.uuid)
        _compare(
            report, askers, f"document of {name} as JSON", calls.document(who, *path), list(askers)
        )
        _compare(report, askers, f"content of {name}", calls.content(who, *path), THREE)
    foreign = calls.document(who._replace(token="unknown"), *path)  # noqa: S106  # no secret
    statuses = [asker.ask(foreign).status for asker in askers.values()]
    refused = all(status in (401, 403) for status in statuses)
    report.true("", "unknown token", "401 or 403", " / ".join(map(str, statuses)), refused)
    # The peer would use the product's own view for tokens, so only the floor is compared.
    statuses = [askers[name].ask(calls.token(who)).status for name in THREE[:2]]
    report.true("", "token endpoint", "200", " / ".join(map(str, statuses)), set(statuses) == {200})


def _compare(
    report: Report, askers: dict[str, Asker], what: str, call: Call, names: list[str]
) -> None:
    answers = [askers[name].ask(call) for name in names]
    same = {answer.status for answer in answers} == {200}
    if "JSON" in what:
        same = same and len({answer.json()["data"]["id"] for answer in answers}) == 1
        ours = answers[names.index("ours")].json()
        same = same and all(
            answer.json() == ours
            for name, answer in zip(names, answers, strict=True)
            if name != "peer"
        )
    else:
        same = same and len({hashlib.sha256(answer.body).digest() for answer in answers}) == 1
    sizes = " / ".join(f"{len(answer.body):,}" for answer in answers)
    report.true("", what, "the same answer", f"{sizes} bytes", same)
