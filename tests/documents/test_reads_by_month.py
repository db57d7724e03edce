"""The access log in months: nothing is lost, nothing can be changed, whole months are dropped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from dateutil.relativedelta import relativedelta
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from core.row_security import every_office
from documents.access_log import Reader, record
from documents.models import DocumentRead, Outcome
from documents.reads_by_month import add_months, drop_old_months, months_ahead
from documents.tasks import keep_months_of_reads
from tests.conftest import Cast
from tests.documents.test_row_security import end_scope
from tests.owner import as_owner, refused_to_owner

pytestmark = pytest.mark.requirement(107)

WRITE = """
    insert into documents_documentread
        (at, office_id, consent_id, application_id, document_id, media_type, size, outcome)
    select moment, %s, 1, 1, 7, 'application/pdf', 1, 'served'
    from unnest(%s::timestamptz[]) moment
"""
REST = "documents_documentread_rest"


def now() -> datetime:
    return datetime.now(UTC)


def name_of(moment: datetime) -> str:
    return f"documents_documentread_{moment:%Y_%m}"


def write(cast: Cast, *moments: datetime) -> None:
    with every_office(), connection.cursor() as cursor:
        cursor.execute(WRITE, [cast.janssens.pk, list(moments)])


def written() -> list[tuple[int, datetime, str]]:
    """Each read with the name of the table in which it lies, the oldest first."""
    with every_office(), connection.cursor() as cursor:
        cursor.execute(
            "select id, at, tableoid::regclass::text from documents_documentread order by at, id"
        )
        return list(cursor.fetchall())


def places() -> list[str]:
    return [place for _id, _at, place in written()]


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select inhrelid::regclass::text from pg_inherits"
            " where inhparent = 'documents_documentread'::regclass order by 1"
        )
        return [name for (name,) in cursor.fetchall()]


def refused(statement: str) -> str:
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return str(error.value)


def test_a_read_lies_in_its_month(cast: Cast) -> None:
    record(Reader(cast.janssens.pk, cast.consent.pk, 1), Outcome.SERVED, media_type="x", size=1)
    assert places() == [name_of(now())]


def test_months_are_added_ahead_once(cast: Cast) -> None:
    add_months()
    assert add_months() == 0
    assert months_ahead() == 3
    expected = [name_of(now().replace(day=1) + relativedelta(months=n)) for n in range(4)]
    assert set(expected) <= set(partitions())


def test_a_read_without_a_month_is_kept_and_gets_its_month(cast: Cast) -> None:
    """A clock that jumped, a backup of long ago: the row is written, and then sorted in."""
    far = [now() + relativedelta(years=10), now() - relativedelta(years=30)]
    write(cast, *far)
    assert places() == [REST, REST]
    before = [row[:2] for row in written()]
    assert add_months() == 2
    assert places() == [name_of(far[1]), name_of(far[0])]
    assert [row[:2] for row in written()] == before
    # The rest is as closed as it was.
    write(cast, now() + relativedelta(years=20))
    assert places()[-1] == REST
    with every_office():
        assert as_refused(f"delete from {REST}")
        assert as_refused(f"update {REST} set size = 0")


def as_refused(statement: str) -> bool:
    """Whether the owner too is refused a change of rows, with row security out of the way."""
    table = next(word for word in statement.split() if word.startswith("documents_"))
    with transaction.atomic():
        as_owner(f"alter table {table} no force row level security")
        said = refused_to_owner(statement)
        as_owner(f"alter table {table} force row level security")
    return "Cannot update or delete" in said


def test_no_part_can_be_changed_even_by_its_own_name(cast: Cast) -> None:
    write(cast, now(), now() + relativedelta(years=40))
    add_months()
    write(cast, now() + relativedelta(years=50))
    named = partitions()
    assert len(named) >= 6
    for part in named:
        assert "proof" in refused_to_owner(f"truncate {part}")
        for statement in (
            f"select from {part}",
            f"insert into {part} select * from documents_documentread",
            f"update {part} set size = 0",
            f"delete from {part}",
            f"truncate {part}",
        ):
            assert "permission denied" in refused(statement)
        for statement in (
            f"drop table {part}",
            f"alter table documents_documentread detach partition {part}",
        ):
            assert "must be owner" in refused(statement)
    for part in {*places(), REST}:
        assert as_refused(f"update {part} set size = 0")
        assert as_refused(f"delete from {part}")


def test_no_part_shows_the_owner_a_row_without_an_office(cast: Cast) -> None:
    write(cast, now())
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relname like 'documents_documentread%%'"
            " and relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_the_portal_makes_no_partition_itself() -> None:
    assert "permission denied" in refused(
        "create table documents_documentread_x partition of documents_documentread"
        " for values from ('1990-01-01') to ('1990-02-01')"
    )


@pytest.mark.django_db
def test_the_functions_of_the_owner_are_for_the_portal_alone() -> None:
    """And nobody puts an object of their own in the place of one that they name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select proname, has_function_privilege('public', oid, 'execute'), proconfig::text"
            " from pg_proc where prosecdef and proname like 'documents%%' order by 1"
        )
        found = cursor.fetchall()
    assert [name for name, _public, _config in found] == [
        "documents_add_months_of_reads",
        "documents_drop_month_of_reads",
    ]
    for _name, public, config in found:
        assert not public
        assert "search_path=pg_catalog, pg_temp" in config


def months_back(count: int, first: int = 0) -> list[datetime]:
    middle = now().replace(day=15, hour=12)
    return [middle - relativedelta(months=n) for n in range(first, first + count)]


def test_a_month_of_ten_years_ago_is_dropped_and_younger_ones_stay(cast: Cast) -> None:
    moments = months_back(123)
    write(cast, *moments)
    keep_months_of_reads()
    kept = [at for _id, at, _place in written()]
    dropped = sorted(moments)[:2]
    assert kept == sorted(moments)[2:]
    assert max(dropped) <= now() - relativedelta(months=120)
    keep_months_of_reads()
    assert [at for _id, at, _place in written()] == kept
    assert name_of(moments[-1]) not in partitions()


def test_a_longer_time_is_kept(cast: Cast) -> None:
    write(cast, *months_back(123))
    add_months()
    with override_settings(PORTAL_ACCESS_LOG_MONTHS=122):
        assert drop_old_months() == 0
    with override_settings(PORTAL_ACCESS_LOG_MONTHS=121):
        assert drop_old_months() == 1
    assert len(written()) == 122


def test_the_database_refuses_less_than_ten_years(cast: Cast) -> None:
    moments = months_back(123)
    write(cast, *moments)
    add_months()
    for months in ("119", "0", "-1", "null"):
        assert "at least 120 months" in refused(f"select documents_drop_month_of_reads({months})")
    assert len(written()) == len(moments)


def test_a_clock_that_runs_ahead_empties_nothing(cast: Cast) -> None:
    """Two months with reads, all of them old for this clock: too few others stand after them."""
    write(cast, *months_back(2, first=300))
    keep_months_of_reads()
    assert len(written()) == 2


def test_reads_are_the_same_after_months_and_for_their_office_alone(cast: Cast) -> None:
    write(cast, *months_back(3))
    end_scope()
    add_months()
    assert DocumentRead.objects.count() == 0
    with every_office():
        assert DocumentRead.objects.filter(document_id=7).count() == 3
