"""The register of messages: each app says which e-mails it sends and what their text needs.

The text of a message is the template `mails/<message>.txt`. It fills the blocks of a layout in
`mails/layouts/`: `subject`, `text`, `button` (the label of the link), `after` and `footer`. The
same template makes the subject, the plain text and the HTML, so each sentence is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mailer.models import OutgoingEmail


class Content(NamedTuple):
    """The context of a message's template, and the attachments.

    `context` has `link`, the complete address of the page that the e-mail leads to. An attachment
    is a file name, the bytes and their media type.
    """

    context: dict[str, Any]
    attachments: tuple[tuple[str, bytes, str], ...] = ()


# Makes the content of a row of the outbox, in the language of its reader. None means that the
# e-mail is no longer needed, for example because an invitation was withdrawn meanwhile.
MakeContent = Callable[[OutgoingEmail], Content | None]

MESSAGES: dict[str, MakeContent] = {}


def email_message(*names: str) -> Callable[[MakeContent], MakeContent]:
    """Register the decorated function: it makes the content of these messages."""

    def register(make_content: MakeContent) -> MakeContent:
        for name in names:
            MESSAGES[name] = make_content
        return make_content

    return register
