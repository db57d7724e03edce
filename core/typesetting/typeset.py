"""Reads a document as JSON from its input and writes it as a tagged PDF (PDF/UA-1) to its output.

It is a process of its own, because typst keeps what it has laid out for the next time: a web
process would grow by hundreds of megabytes. If a document takes too much memory, this process ends
and no other. It reads its own folder and nothing else, and no network. The texts are values of the
layout `page.typ` and never part of its source.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import typst

HERE = Path(__file__).parent
FONTS = HERE / "fonts"
# Bytes. A table of 4,000 rows takes 400 MB.
MOST_MEMORY = 2**30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    text = sys.stdin.buffer.read().decode()
    made = json.loads(text)["made"]
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
    )
    pdf = typst.compile(
        str(HERE / "page.typ"),
        root=str(HERE),
        font_paths=fonts,
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"document": text},
        timestamp=made or 0,
        # No package comes from a network or from a home folder.
        package_path=str(HERE),
        package_cache_path=str(HERE),
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
