"""Many documents at once, named as the wire names them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from consents.access import CLIENT_IS_ACTIVE, IN_SCOPE, AccessContext
from core.prepared_sql import list_query
from core.row_security import SCOPE_SQL
from documents.models.late_documents import array_literal
from documents.models.querysets import (
    ON_THE_WIRE,
    DocumentRow,
    FoundDocument,
    StoredFormat,
)

# Names that are no UUID are unique for a company only, so they are looked up among their kinds.
NAMED = f"""
    select d.kind, d.id, client.company_number, d.client_id, {ON_THE_WIRE},
        k.media_type, k.size, k.sha256
    from documents_document d
    join clients_client client on client.id = d.client_id and {CLIENT_IS_ACTIVE}
    left join documents_content k on k.document_id = d.id
    where d.office_id = %(office)s and {{in_scope}} and {{named}}
"""  # noqa: S608  # constants only
BY_UUID = "d.uuid = any(%(uuids)s::uuid[])"
BY_TEXT = "d.kind = any(%(kinds)s::smallint[]) and d.public_id = any(%(names)s::text[])"


class DocumentName(NamedTuple):
    """A document as the wire names it: by a UUID, or by a text of its own."""

    kind: int
    identifier: UUID | str


def find_named(
    access: AccessContext, wanted: Sequence[DocumentName]
) -> dict[DocumentName, list[FoundDocument]]:
    """Those that the office has, and shares, now; two of one name where two companies have it."""
    uuids = [name.identifier for name in wanted if isinstance(name.identifier, UUID)]
    texts = [name for name in wanted if isinstance(name.identifier, str)]
    in_scope = IN_SCOPE if access.scope_restricted else "true"
    asked = " union all ".join(
        NAMED.format(in_scope=in_scope, named=named)
        for named, names in ((BY_UUID, uuids), (BY_TEXT, texts))
        if names
    )
    if not asked:
        return {}
    _scope, rows = list_query(
        SCOPE_SQL + asked,
        scope=str(access.office_id),
        office=access.office_id,
        consent=access.consent_id,
        uuids=array_literal(map(str, uuids)),
        kinds=array_literal(str(int(kind)) for kind in {name.kind for name in texts}),
        names=[name.identifier for name in texts],
    )
    documents: dict[int, FoundDocument] = {}
    found: defaultdict[DocumentName, list[FoundDocument]] = defaultdict(list)
    for kind, key, number, client, uuid, public_id, at, attributes, media_type, *stored in rows:
        if key not in documents:
            row = DocumentRow(client, uuid, public_id, at, attributes)
            documents[key] = FoundDocument(key, number, row, {})
            found[DocumentName(kind, public_id or UUID(uuid))].append(documents[key])
        if media_type:
            documents[key].formats[media_type] = StoredFormat(media_type, *stored)
    return found
