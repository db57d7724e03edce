"""What comes in and goes out: JSON, whatever the caller says it accepts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from partner_api.errors import MEDIA_TYPE, Fault, invalid

ACCEPTED = {"application/vnd.api+json", "application/json", ""}
# What a body may be written in; ASCII is UTF-8 already.
ENCODINGS = {
    "": "utf-8-sig",
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "utf-8-sig",
    "iso-8859-1": "latin-1",
}
MAX_BODY = 1024 * 1024
QUALITY = re.compile(r"0?\.[0-9]{1,3}|[01](\.[0-9]{0,3})?")


def preferred_type(accept: str, offered: Sequence[str]) -> str | None:
    """Return what `Accept` prefers (RFC 9110, section 12.5.1), of equals the first; None: nothing.

    Parameters beside q do not count: clients name the version or the charset that they speak.
    """
    ranges = [_range(text, place) for place, text in enumerate(accept.split(","))]
    best: tuple[float, int, int] | None = None
    chosen = None
    for media_type in offered:
        names = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
        # The most specific range decides, also when it says no.
        found = next((r for name in names for r in ranges if r.name == name), None)
        if found is not None and found.quality > 0:
            rank = (found.quality, -names.index(found.name), -found.place)
            if best is None or rank > best:
                best, chosen = rank, media_type
    return chosen


class MediaRange(NamedTuple):
    """One entry of `Accept`, and its place among them."""

    name: str
    quality: float
    place: int


def _range(text: str, place: int) -> MediaRange:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    words = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    quality = float(words) if QUALITY.fullmatch(words) else 1.0
    # Old Java sends `*` alone.
    return MediaRange("*/*" if name == "*" else name, quality, place)


class JsonApiRenderer(BaseRenderer):
    media_type = MEDIA_TYPE
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class JsonRenderer(JsonApiRenderer):
    """The media type of what is no resource, such as the root document."""

    media_type = "application/json"


class AlwaysJson(BaseContentNegotiation):
    """Never refuses for `Accept`: the one view that has other formats chooses itself."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class JsonApiParser(BaseParser):
    """Reads every body: `read_json` refuses another media type itself."""

    media_type = MEDIA_TYPE

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return read_json(stream)


class JsonParser(JsonApiParser):
    media_type = "application/json"


class ApiRequest(Request):
    """A request whose body may come in chunks: DRF would take one without a length for empty."""

    def _load_stream(self) -> None:
        self._stream: Any = self._request


def is_known(request: Request, etag: str) -> bool:
    """Tell whether the caller has this version already (RFC 9110, section 13.1.2)."""
    known = request.META.get("HTTP_IF_NONE_MATCH", "")
    return etag in known or known.strip() == "*"


def read_json(request: HttpRequest) -> dict[str, Any]:
    """Return the body as an object; raise for another media type, or for bad JSON."""
    media_type, _, parameters = request.META.get("CONTENT_TYPE", "").partition(";")
    charset = parameters.lower().partition("charset=")[2].strip(' "').split(";")[0].strip(' "')
    compressed = request.META.get("HTTP_CONTENT_ENCODING", "").lower() not in ("", "identity")
    if media_type.strip().lower() not in ACCEPTED or charset not in ENCODINGS or compressed:
        raise UnsupportedMediaType(media_type)
    try:
        raw = whole_body(request)
        body = orjson.loads(raw.decode(ENCODINGS[charset]))
    except ValueError as error:
        raise _malformed(f"The body is not valid JSON: {error}.") from error
    if not isinstance(body, dict):
        raise _malformed("The body must be a JSON object.")
    # JSON writes a NUL as this escape only, so few bodies need the long search.
    if b"\\u0000" in raw and _has_nul(body):
        raise _malformed("The body contains a NUL character.")
    return body


def whole_body(request: HttpRequest) -> bytes:
    """The body as it came, also in chunks or over HTTP/2, where Django has no length to go by."""
    if not hasattr(request, "_body") and not request.META.get("CONTENT_LENGTH"):
        body: bytes = request.environ["wsgi.input"].read(MAX_BODY + 1)  # type: ignore[attr-defined]
        if len(body) > MAX_BODY:
            raise RequestDataTooBig
        request._body = body
    return request.body


def read_the_rest(request: HttpRequest) -> None:
    """Read what is left of the body: it would end the connection under the caller's next call."""
    with suppress(OSError):  # the caller is gone
        if request.META.get("CONTENT_LENGTH"):
            request.read(MAX_BODY)
        elif request.META.get("HTTP_TRANSFER_ENCODING"):
            request.environ["wsgi.input"].read(MAX_BODY)  # type: ignore[attr-defined]


def _malformed(detail: str) -> Exception:
    return invalid(Fault("malformedBody", detail))


def _has_nul(value: object) -> bool:
    """PostgreSQL cannot store NUL. Without recursion, because the sender chooses the depth."""
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            rest.extend(item.keys())
            rest.extend(item.values())
        elif isinstance(item, list):
            rest.extend(item)
    return False
