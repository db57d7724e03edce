"""Index the words of every document, so that an office can search all of them at once.

A policy of row security keeps the database from using an index for words (its operators are not
leakproof), so the index lies in a table of its own that holds hashes only.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

# The words of a text as people look for them: amounts with their cents, else letters and digits.
# Words that begin with a letter are found by their first four letters as well.
HASHES = """
    create function documents_search_hashes(office bigint, day date, said text) returns int[]
    language sql immutable parallel safe as $$
        select coalesce(array_agg(distinct hashtext(
            office || to_char(day, '"/"YYYYMM"/"') || word)), '{}')
        from (
            select found[1] as word
            from regexp_matches(said, '[0-9]+[.][0-9]{2}(?![0-9.])|[a-z0-9]+', 'g') found
            union all
            select left(found[1], 4) || '*'
            from regexp_matches(said, '[a-z][a-z0-9]{3,}', 'g') found
            union all
            select to_char(day, '"day "YYYY-MM-DD')
        ) words
    $$
"""
# The hashes of a few spellings of one word, to look for.
KEYS = """
    create function documents_search_keys(office bigint, day date, spellings text[])
    returns int[] language sql immutable parallel safe as $$
        select array_agg(hashtext(office || to_char(day, '"/"YYYYMM"/"') || spelling))
        from unnest(spellings) spelling
    $$
"""
NOTE = """
    create function documents_note_words() returns trigger language plpgsql as $$
    begin
        insert into documents_searchentry (document_id, words)
        select document_id, documents_search_hashes(office_id, dated_on,
            concat_ws(' ', words, lower(number), lower(series), round(abs(amount), 2)))
        from changed
        on conflict (document_id) do update set words = excluded.words;
        return null;
    end $$
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0006_keep_warnings_and_recognise_copies")]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "document",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="documents.documentdetails",
                    ),
                ),
                (
                    "words",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=True,
                        fields=["words"],
                        gin_pending_list_limit=64,
                        name="documents_search_words",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            """
            alter table documents_searchentry add constraint documents_searchentry_of_details
                foreign key (document_id) references documents_documentdetails (document_id)
                on delete cascade
            """,
            "alter table documents_searchentry drop constraint documents_searchentry_of_details",
        ),
        migrations.RunSQL(HASHES, "drop function documents_search_hashes(bigint, date, text)"),
        migrations.RunSQL(KEYS, "drop function documents_search_keys(bigint, date, text[])"),
        migrations.RunSQL(NOTE, "drop function documents_note_words()"),
        *(
            migrations.RunSQL(
                f"""
                create trigger documents_words_{verb} after {verb} on documents_documentdetails
                    referencing new table as changed
                    for each statement execute function documents_note_words()
                """,
                f"drop trigger documents_words_{verb} on documents_documentdetails",
            )
            for verb in ("insert", "update")
        ),
    ]
