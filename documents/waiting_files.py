"""What waits for an office: the files that name its companies and could not be filed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Office
from clients.models import Account, Client
from documents.formats import Reason
from documents.models import QuarantinedFile, QuarantinedName
from documents.refusal_details import in_reader_language

# The page of a company shows no more; the page of the office has all of them.
MOST = 20
ASK_AGAIN = _("Ask the sender to send the file again.")
ASK_FOR_A_RIGHT_ONE = _("Ask the sender for a corrected file. Do not use this one.")


class Words(NamedTuple):
    """Why a file waits, and what the office can do."""

    reason: str | Promise
    remedy: str | Promise


WORDS = {
    Reason.UNKNOWN_FORMAT: Words(_("The portal does not know this kind of file."), ASK_AGAIN),
    Reason.TOO_LARGE: Words(
        _("The file is too large."), _("Ask the sender to send it in smaller parts.")
    ),
    Reason.CUT_OFF: Words(_("The end of the file is missing."), ASK_AGAIN),
    Reason.CHARSET: Words(_("The characters in the file cannot be read."), ASK_AGAIN),
    Reason.STRUCTURE: Words(
        _("Parts of the file are missing or stand in the wrong place."), ASK_FOR_A_RIGHT_ONE
    ),
    Reason.SEQUENCE: Words(_("Lines are missing in the middle of the file."), ASK_AGAIN),
    Reason.FIELD: Words(_("A value in the file is missing or impossible."), ASK_FOR_A_RIGHT_ONE),
    Reason.TOTALS: Words(_("The amounts in the file do not add up."), ASK_FOR_A_RIGHT_ONE),
    Reason.FORBIDDEN_XML: Words(
        _("The file has parts that could be harmful."), ASK_FOR_A_RIGHT_ONE
    ),
    Reason.UNKNOWN_COMPANY: Words(
        _("When the file arrived, no company had its enterprise number."),
        _("Check the company below. If the file is yours, file it."),
    ),
    Reason.UNKNOWN_ACCOUNT: Words(
        _("When the file arrived, no company had its bank account."),
        _("Check the company below. If the file is yours, file it."),
    ),
    # No office sees one of these.
    Reason.CONTRADICTION: Words(
        _("The details in the file contradict each other."),
        _("Portal staff will check it. You do not need to do anything."),
    ),
    Reason.PDF_WITHOUT_FILE: Words(_("A PDF came without the file that it belongs to."), ASK_AGAIN),
}
# Files that can be read: they only wait for their owner.
OWNERLESS = {Reason.UNKNOWN_COMPANY, Reason.UNKNOWN_ACCOUNT}


class WaitingFile(NamedTuple):
    """A file that waits, with the companies of the office that it names."""

    file: QuarantinedFile
    companies: list[Client]
    words: Words

    @property
    def detail(self) -> str | None:
        """What exactly is wrong, in the reader's language; None for words of a library."""
        return in_reader_language(self.file.detail)

    @property
    def can_be_filed(self) -> bool:
        """The file is whole: the office can say that it is theirs."""
        return Reason(self.file.reason) in OWNERLESS


def in_words(office: Office, files: Iterable[QuarantinedFile]) -> list[WaitingFile]:
    """The files with their companies and the reason why they wait: three queries."""
    files = list(files)
    names = list(QuarantinedName.objects.filter(file__in=files))
    companies = Client.objects.active().filter(office=office)
    by_number = {
        one.company_number: one
        for one in companies.filter(company_number__in={name.number for name in names})
    }
    by_account = {
        one.iban: one.client
        for one in Account.objects.select_related("client").filter(
            client__in=companies, iban__in={name.account for name in names}
        )
    }
    found: dict[int, dict[int, Client]] = {}
    for name in names:
        client = by_account.get(name.account) or by_number.get(name.number)
        if client is not None:
            found.setdefault(name.file_id, {})[client.pk] = client
    return [
        WaitingFile(file, list(found.get(file.pk, {}).values()), WORDS[Reason(file.reason)])
        for file in files
    ]


def waiting_for(client: Client) -> list[WaitingFile]:
    """What waits for one company, the newest first."""
    accounts = client.accounts.values("iban")
    names = QuarantinedName.objects.filter(
        Q(number=client.company_number) | Q(account__in=accounts)
    )
    files = QuarantinedFile.objects.concerning(client.office).filter(pk__in=names.values("file"))
    return in_words(client.office, files.order_by("-pk")[:MOST])
