"""Reads settings from the environment, each as what it must be. Whatever is wrong stops the start.

All wrong settings are told at once, each in one sentence that names it. A secret is never shown.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
# Kubernetes gives these to every process beside a service with the name "portal".
OF_KUBERNETES = re.compile(r"PORTAL_(SERVICE_(HOST|PORT)|PORT(_\d+_|$)|PORT$)")


class Wrong(ValueError):
    """A value that a setting must not have: what it must be, to follow the setting's name."""


class Environment:
    """The environment of this process; an empty value counts as absent."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        # What was read, with its default.
        self.known: dict[str, object] = {}
        self.wrong: list[str] = []

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """The setting as `parse` makes it from its text; `parse` raises Wrong."""
        self.known[name] = default
        return self._parsed(name, self.values.get(name, "").strip(), parse, default)

    def text(self, name: str, default: str = "") -> str:
        return self.read(name, str, default)

    def flag(self, name: str, default: bool) -> bool:
        return self.read(name, _flag, default)

    def number(self, name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        return self.read(name, lambda text: _number(text, least, most), default)

    def items(self, name: str, default: list[str] | None = None) -> list[str]:
        """Texts with commas between them."""
        return self.read(name, items, default or [])

    def networks(self, name: str, default: str) -> list[str]:
        return self.read(name, _networks, _networks(default))

    def address(self, name: str, default: str) -> str:
        """An address without a slash at its end."""
        return self.read(name, address, default)

    def secret(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """A setting that may also lie in a file, which NAME_FILE names."""
        file = f"{name}_FILE"
        self.known[name], self.known[file] = default, ""
        text, path = self.values.get(name, "").strip(), self.values.get(file, "").strip()
        if path and text:
            self.wrong.append(f"{name} and {file} are both set: take one of them away.")
        elif path:
            try:
                text = Path(path).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                self.wrong.append(f"{file} names a file that cannot be read: {error}.")
        return self._parsed(name, text, parse, default, is_secret=True)

    def needed(
        self, name: str, parse: Callable[[str], T], example: str, *, is_secret: bool = True
    ) -> T:
        """A setting without which the portal does not start; `example` is only to go on with."""
        before = len(self.wrong)
        value = (self.secret if is_secret else self.read)(name, parse, None)
        if value is None:
            if len(self.wrong) == before:
                self.wrong.append(
                    f"{name} is not set. Set it (for example {name}={example}), or start "
                    "everything with `python3 portal.py demo`."
                )
            return parse(example)
        return value

    def stop_if_wrong(self) -> None:
        """End this process with a sentence for each setting that is wrong."""
        if self.wrong:
            sys.exit("\n".join(self.wrong))

    def unknown(self) -> dict[str, str]:
        """Names that look like settings and are none, each with the one that may be meant."""
        names = [name for name in self.values if name.startswith("PORTAL_")]
        return {
            name: next(iter(get_close_matches(name, self.known, 1, 0.8)), "")
            for name in sorted(names)
            if name not in self.known and not OF_KUBERNETES.match(name)
        }

    def _parsed(
        self, name: str, text: str, parse: Callable[[str], T], default: T, is_secret: bool = False
    ) -> T:
        if not text:
            return default
        try:
            return parse(text)
        except Wrong as wrong:
            self.wrong.append(f"{name} {wrong}" + ("." if is_secret else f", not {text!r}."))
            return default


def _flag(text: str) -> bool:
    if text.lower() not in (*YES, *NO):
        raise Wrong("must be 1 or 0")
    return text.lower() in YES


def _number(text: str, least: int, most: int | None) -> int:
    try:
        number = int(text)
    except ValueError:
        raise Wrong("must be a whole number") from None
    if number < least:
        raise Wrong(f"must be at least {least}")
    if most is not None and number > most:
        raise Wrong(f"must be at most {most}")
    return number


def items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _networks(text: str) -> list[str]:
    found = []
    for entry in items(text):
        try:
            found.append(str(ip_network(entry)))
        except ValueError:
            raise Wrong("must have addresses or networks like 10.0.0.0/8, with commas") from None
    return found


def address(text: str) -> str:
    """The address of a site, without a slash at its end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise Wrong("must be a full address like https://connect.example, without a path")
    return text.rstrip("/")


def receiver(text: str) -> str:
    """Where something is sent, with or without a path."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Wrong("must be a full address like http://collector.example:4318")
    return text


def sentry_project(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.username or not parts.path.strip("/"):
        raise Wrong("must look like https://key@sentry.example/1")
    return text


# The extras of pyproject.toml that a setting may need, each with a package that it brings.
EXTRAS = {"opentelemetry": "opentelemetry-sdk", "sentry": "sentry-sdk"}


def with_extra(extra: str, parse: Callable[[str], str]) -> Callable[[str], str]:
    """`parse`, where the extra is installed."""

    def parsed(text: str) -> str:
        try:
            version(EXTRAS[extra])
        except PackageNotFoundError:
            raise Wrong(f"needs the extra {extra}: install requirements/telemetry.txt") from None
        return parse(text)

    return parsed


def location(text: str) -> str:
    if not text.startswith("/"):
        raise Wrong("must begin with a slash, like /_documents")
    return text


def file(text: str) -> str:
    if not Path(text).is_file():
        raise Wrong("must name a file that is there")
    return text


def mailbox(text: str) -> str:
    """An address for e-mails, which may have a name in front."""
    if not re.fullmatch(r"[^@]*[^@\s<]@[^@\s<>]+>?", text):
        raise Wrong("must be an e-mail address")
    return text


def word(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+", text):
        raise Wrong("must be one word of letters, digits, dots and dashes")
    return text
