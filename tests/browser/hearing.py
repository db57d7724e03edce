"""What a screen reader reads out: Chromium's own accessibility tree, in order, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from playwright.sync_api import Page

# A box without a role of its own is not announced; what stands in it is.
SILENT = {"", "generic", "none", "paragraph", "form", "strong", "code", "LabelText"}
SILENT |= {"DescriptionList", "definition"}
# Their name is all there is to hear: what stands in them would be heard twice.
WHOLE = {"heading", "link", "button", "switch", "checkbox", "textbox", "term", "StaticText"}
STATES = {"disabled": "unavailable", "required": "required", "invalid": "invalid"}


def heard(page: Page) -> list[str]:
    """The title, and the lines that are read out between the top of the content and its end."""
    page.locator("[inert]").wait_for(state="detached")
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    by_id = {node["nodeId"]: node for node in nodes}
    (main,) = [node for node in nodes if _role(node) == "main"]
    return [f"title: {page.title()}", *_sentences(_lines(main, by_id))]


def _role(node: dict[str, Any]) -> str:
    return "" if node["ignored"] else str(node["role"]["value"])


def _lines(node: dict[str, Any], by_id: dict[str, Any], *, label: bool = False) -> Iterator[str]:
    role = _role(node)
    if _is_live(node):
        yield f"live: {_live(node, by_id)}".strip()
        return
    # The words of a label are heard as the name of what it labels.
    if role not in SILENT and not (label and role == "StaticText"):
        yield _line(node, role)
    if role in WHOLE:
        return
    for child in node.get("childIds", []):
        if child in by_id:
            yield from _lines(by_id[child], by_id, label=label or role == "LabelText")
    if role == "paragraph":
        yield ""


def _is_live(node: dict[str, Any]) -> bool:
    return any(each["name"] == "live" for each in node.get("properties", []))


def _live(node: dict[str, Any], by_id: dict[str, Any]) -> str:
    """The words of a place that is read out again whenever they change."""
    inside = (by_id[child] for child in node.get("childIds", []) if child in by_id)
    own = str(node["name"]["value"]) if _role(node) == "StaticText" else ""
    return " ".join(filter(None, [own, *(_live(child, by_id) for child in inside)]))


def _line(node: dict[str, Any], role: str) -> str:
    """One line: the role, the name, and what a person must know of its state."""
    told = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
    words = [str(node.get(part, {}).get("value", "")) for part in ("name", "description")]
    words += [word for state, word in STATES.items() if told.get(state) in (True, "true")]
    if "checked" in told:
        words.append("on" if told["checked"] == "true" else "off")
    level = f" {told['level']}" if role == "heading" else ""
    text = ", ".join(" ".join(word.split()) for word in words if word.strip())
    return f"{role}{level}: {text}".removesuffix(": ")


def _sentences(lines: Iterator[str]) -> Iterator[str]:
    """Texts that follow each other are read in one go."""
    for is_text, group in groupby(lines, lambda line: line.startswith("StaticText: ")):
        if is_text:
            yield "text: " + " ".join(line.removeprefix("StaticText: ") for line in group)
        else:
            yield from filter(None, group)
