"""One list of document kinds: what is known of a kind stands in its row and nowhere else."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils import translation

from core.document_kinds import BY_KIND, EXTENSIONS, KINDS, TYPES, Kind, labels_of
from documents.models import Document
from partner_api.document_shapes import DOCUMENT_TYPE
from partner_api.sandbox.example_files import WRITERS
from partners.models import Partner

ROOT = Path(__file__).resolve().parent.parent
REGISTRY = Path("core/document_kinds.py")
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "root_packages"
]
# Software of somebody else, which knows nothing but the public API; the bench asks as it does.
OUTSIDE = ("demo/software/", "bench/")


def strings_of(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def product_files() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT)
            if "migrations" not in name.parts and not str(name).startswith(OUTSIDE):
                yield name


def test_the_registry_alone_names_types_paths_and_media_types() -> None:
    """Whoever adds a kind writes its names once."""
    names = {*TYPES, *(kind.path for kind in KINDS), *EXTENSIONS}
    files = list(product_files())
    assert REGISTRY in files
    found = [
        f"{path}:{line}: {text}"
        for path in files
        if path != REGISTRY
        for line, text in strings_of((ROOT / path).read_text())
        if text in names
    ]
    assert not found, "\n".join(found)


def test_every_kind_has_one_row_and_no_two_rows_share_a_name() -> None:
    assert [row.kind for row in KINDS] == list(Kind)
    assert len({row.type for row in KINDS}) == len(KINDS)
    assert len({row.path for row in KINDS}) == len(KINDS)
    for row in KINDS:
        assert row.media_type in EXTENSIONS
        assert set(row.aliases.values()) <= {row.media_type}


def test_whatever_offers_kinds_takes_them_from_the_registry() -> None:
    column = Partner._meta.get_field("document_kinds").base_field
    assert [value for value, _label in column.choices or []] == TYPES
    kind = Document._meta.get_field("kind")
    assert [value for value, _label in kind.choices or []] == list(BY_KIND)
    assert DOCUMENT_TYPE["enum"] == TYPES
    assert settings.PORTAL_RETENTION_MONTHS.keys() == set(TYPES)


def test_the_labels_stand_in_the_order_of_the_registry_and_in_the_readers_language() -> None:
    given = [KINDS[3].type, KINDS[0].type]
    with translation.override("en"):
        assert labels_of(given) == ["Bank account statements (CODA)", "Purchase invoices"]
    with translation.override("nl"):
        assert labels_of(given) != ["Bank account statements (CODA)", "Purchase invoices"]


def test_the_sandbox_writes_a_file_of_each_kind() -> None:
    assert set(WRITERS) == set(Kind)
