"""The page that shows every part of the design system as the portal draws it."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.lists import Page

# The first block of rules has the light values; the dark ones have the same names.
TOKEN = re.compile(r"--([a-z-]+): ([^;]+);")
LANGUAGES = [("en", "English"), ("nl", "Nederlands")]
BARS = (20, 60, 35, 90, 50)
STATUSES = ["allowed", "denied", "to_be_determined", "cancelled", "closed"]


class ExampleForm(forms.Form):
    name = forms.CharField(label="Name", error_messages={"required": "Enter a name."})
    email = forms.EmailField(label="Email address", required=False)
    language = forms.ChoiceField(label="Language", choices=LANGUAGES)
    digest = forms.BooleanField(label="Email me once a week", required=False)


def tokens() -> dict[str, str]:
    """Each token with its value, as `static/portal/tokens.css` says."""
    path = finders.find("portal/tokens.css")
    with open(str(path), encoding="utf-8") as file:
        first = file.read().partition(":root {")[2].partition("\n}")[0]
    return {name: " ".join(value.split()) for name, value in TOKEN.findall(first)}


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Tokens, type, and the parts of pages; switch the colour scheme or print to see the rest."""
    named = tokens()
    context: dict[str, Any] = {
        "colours": {name: value for name, value in named.items() if value.startswith("#")},
        "sizes": {name: value for name, value in named.items() if not value.startswith("#")},
        "form": ExampleForm(initial={"name": "Bakkerij D'Hondt", "digest": True}),
        "wrong": ExampleForm({"language": "en"}, auto_id="wrong_%s"),
        "statuses": STATUSES,
        "bars": [
            {"x": 10 + 40 * at, "y": 100 - high, "height": high} for at, high in enumerate(BARS)
        ],
        "tab": "one",
        "page": Page(["row"] * 25, next="?after=25", first=1, total=302),
    }
    return render(request, "demo/design.html", context)
