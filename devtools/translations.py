"""`messages`: collect the texts to translate, and compile the translations."""

from __future__ import annotations

import shutil

from devtools.console import CannotContinueError, say
from devtools.processes import manage
from devtools.servers import environment_without_servers

LANGUAGES = ("nl", "fr", "de")


def run_messages(arguments: list[str]) -> int:
    if shutil.which("xgettext") is None:
        raise CannotContinueError("gettext is missing (Debian: apt install gettext).")
    environment = environment_without_servers()
    languages = [word for language in LANGUAGES for word in ("-l", language)]
    # Folders that are no part of the portal; their texts are not translated here.
    foreign = [word for folder in (".venv", "var", "tests", "devtools") for word in ("-i", folder)]
    collect = ["makemessages", *languages, *foreign, "--no-location", *arguments]
    manage("Collecting texts", collect, environment)
    manage("Compiling translations", ["compilemessages", "-v0", "-i", ".venv"], environment)
    say("Translate what is new or fuzzy in locale/*/LC_MESSAGES/django.po, then run this again.")
    return 0
