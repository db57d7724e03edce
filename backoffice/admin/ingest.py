"""The quarantine: operators see why a file was refused, try again, discard it, or upload files.

They see name, sender, reason, line and size of a file. Of one that names no company of an office
they may look at the first lines, which its history says; of others never at the content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from backoffice.admin.site import ReadOnlyPage, has_right
from core.row_security import every_office
from documents.first_lines import MOST_LINES, first_lines_of
from documents.formats import Reason
from documents.formats.file_warnings import SENTENCES
from documents.ingest.pipeline import BatchResult, ingest, replay
from documents.ingest.sources import files_in
from documents.models import DocumentDetails, QuarantinedFile, QuarantineState
from documents.storage.blobs import Damaged

# Of so many files a message says why they still wait; the list says it of all.
MOST_NAMED = 20
# Rows of the tables above the list and on the page of the warnings, and senders of the filter.
MOST_COUNTED = 100
READ_FIRST_LINES = "backoffice.read_first_lines"
FIRST_LINES = "admin:documents_quarantinedfile_first_lines"
IN_WORDS = {
    Reason.UNKNOWN_FORMAT: "no format that the portal reads",
    Reason.TOO_LARGE: "too large",
    Reason.CUT_OFF: "cut off: its end is missing",
    Reason.CHARSET: "letters that cannot be read",
    Reason.STRUCTURE: "parts are missing or stand in the wrong place",
    Reason.SEQUENCE: "lines are missing in the middle",
    Reason.FIELD: "a value is missing or impossible",
    Reason.TOTALS: "the amounts do not add up",
    Reason.FORBIDDEN_XML: "parts that could do harm",
    Reason.UNKNOWN_COMPANY: "no active company has the number that it names",
    Reason.UNKNOWN_ACCOUNT: "no active company has its account",
    Reason.CONTRADICTION: "what it names belongs to, or is claimed by, different companies",
    Reason.PDF_WITHOUT_FILE: "a PDF without its file",
}
# A person waits for the upload. Larger files go to `manage.py ingest` or the drop folder.
MOST_AT_ONCE = 32 * 1024 * 1024


def _why_not(file: QuarantinedFile) -> str:
    """Return why a file still waits. The detail can quote the file, but not of a contradiction."""
    line = f" (line {file.line})" if file.line else ""
    sides = f": {file.detail}" if file.reason == Reason.CONTRADICTION else ""
    return f"{file.name} waits: {IN_WORDS[Reason(file.reason)]}{line}{sides}."


def _odd(code: str) -> str:
    """Return the words of a warning without its detail."""
    words = {known.value: str(sentence) for known, sentence in SENTENCES.items()}
    return words.get(code, "").partition(": %(detail)s")[0]


class ManyFiles(forms.FileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """A field for several files, with a limit on their total size."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = [super(ManyFilesField, self).clean(each, initial) for each in data or [None]]
        if sum(file.size for file in files) > MOST_AT_ONCE:
            raise forms.ValidationError(
                "These files are too large together. Use the drop folder instead."
            )
        return files


class UploadForm(forms.Form):
    """The form to upload files or ZIP archives."""

    chosen = ManyFilesField(
        label="Files", help_text="CODA, SODA, CARO, UBL, or ZIPs of them; together 32 MiB at most."
    )


class SenderFilter(admin.SimpleListFilter):
    """The senders of the files that wait, those of most files first."""

    title = parameter_name = "sender"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        waiting = QuarantinedFile.objects.filter(state=QuarantineState.WAITING).exclude(sender="")
        counts = waiting.values("sender").annotate(n=Count("pk")).order_by("-n", "sender")
        for row in counts[:MOST_COUNTED]:
            yield row["sender"], f"{row['sender']} ({row['n']})"

    def queryset(
        self, request: HttpRequest, files: QuerySet[QuarantinedFile]
    ) -> QuerySet[QuarantinedFile]:
        return files.filter(sender=self.value()) if self.value() is not None else files


@admin.register(QuarantinedFile)
class Quarantine(ReadOnlyPage):
    """Refused files. The detail of a refusal can quote the file, so it is not shown.

    That of a contradiction quotes nothing: it names both companies and their offices.
    """

    shown = (
        "sender",
        "reason",
        "both_sides",
        "line",
        "size",
        "state",
        "received_at",
        "tried_at",
        "tries",
    )
    list_display = ["name", *shown]
    list_filter = ["state", "reason", SenderFilter]
    search_fields = ["name", "sender", "sha256__startswith", "detail"]
    search_help_text = (
        "A part of the name, the sender or of the reason, such as a number, or its SHA-256."
    )
    ordering = ["-pk"]
    show_full_result_count = False
    fields = ["name", *shown, "first_lines_link"]
    actions = ["replay", "discard"]
    change_list_template = "admin/quarantine.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the link out where the operator may not read first lines."""
        return self.fields if has_right(request, READ_FIRST_LINES) else self.fields[:-1]

    @admin.display(description="both sides")
    def both_sides(self, file: QuarantinedFile) -> str:
        """Return who claims what the file names, and whom it names, where these contradict."""
        return file.detail if file.reason == Reason.CONTRADICTION else ""

    @admin.display(description="first lines")
    def first_lines_link(self, file: QuarantinedFile) -> str:
        if not file.belongs_to_nobody:
            return "The file names a company here, so only its office reads it."
        return format_html('<a href="{}">Look</a>', reverse(FIRST_LINES, args=[file.pk]))

    def first_lines(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the first lines of a file that names no company here; its history says so."""
        file = get_object_or_404(QuarantinedFile, pk=pk)
        lines: list[str] = []
        problem = ""
        if not file.belongs_to_nobody:
            problem = "The file names a company here, so only its office reads it."
        else:
            try:
                lines = first_lines_of(file)
            except Damaged:
                problem = "The stored file is gone."
        if lines:
            self.log_change(request, file, "Saw the first lines.")
        context = {"file": file, "lines": lines, "problem": problem, "most": MOST_LINES}
        return self.render_page(
            request, "admin/first_lines.html", f"First lines of {file.name}", **context
        )

    def warnings(self, request: HttpRequest) -> HttpResponse:
        """Show who sends files that are odd and filed all the same, and what is odd about them."""
        with every_office():
            counts = DocumentDetails.objects.warnings_by_sender()[:MOST_COUNTED]
        rows = [{**row._asdict(), "words": _odd(row.code)} for row in counts]
        return self.render_page(request, "admin/warnings.html", "Warnings by sender", counts=rows)

    @admin.action(description="Try again", permissions=["operate"])
    def replay(self, request: HttpRequest, chosen: QuerySet[QuarantinedFile]) -> None:
        filed = damaged = 0
        left: list[QuarantinedFile] = []
        for waiting in chosen:
            try:
                if replay(waiting):
                    filed += 1
                else:
                    left.append(waiting)
            except Damaged:
                damaged += 1
            self.log_change(request, waiting, "Tried again.")
        level = messages.ERROR if damaged else messages.SUCCESS
        lost = f" The stored data of {damaged} files is damaged." if damaged else ""
        self.message_user(request, f"{filed} of {len(chosen)} filed.{lost}", level)
        for waiting in left[:MOST_NAMED]:
            waiting.refresh_from_db()
            self.message_user(request, _why_not(waiting), messages.WARNING)

    @admin.action(description="Discard", permissions=["operate"])
    def discard(
        self, request: HttpRequest, chosen: QuerySet[QuarantinedFile]
    ) -> HttpResponse | None:
        """Ask first: garbage collection removes the bytes of a discarded file."""
        # Read at once: a list of waiting files alone has none of them afterwards.
        asked = list(chosen)
        waiting = [file for file in asked if file.state == QuarantineState.WAITING]
        if waiting and "sure" not in request.POST:
            return self.render_page(
                request, "admin/discard.html", "Discard these files?", files=waiting
            )
        discarded = [file for file in waiting if file.discard()]
        for file in discarded:
            self.log_change(request, file, "Discarded.")
        self.message_user(request, f"{len(discarded)} of {len(asked)} discarded.")
        return None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show above the list how many files wait for each reason and from each sender."""
        waiting = QuarantinedFile.objects.filter(state=QuarantineState.WAITING)
        counts = waiting.values("reason").annotate(n=Count("pk")).order_by("-n", "reason")
        by_reason = [
            (urlencode({"reason__exact": reason}), reason, IN_WORDS[Reason(reason)], n)
            for reason, n in counts.values_list("reason", "n")
        ]
        senders = waiting.exclude(sender="").values_list("sender", "reason")
        by_sender = [
            (urlencode({"sender": sender, "reason__exact": reason}), sender, reason, n)
            for sender, reason, n in senders.annotate(n=Count("pk")).order_by("-n", "sender")[
                :MOST_COUNTED
            ]
        ]
        shown = {"by_reason": by_reason, "by_sender": by_sender}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def get_urls(self) -> list[URLPattern]:
        return [
            self.own_page(
                "upload/", self.upload, "upload", "documents.add_quarantinedfile", asks_again=False
            ),
            self.own_page("warnings/", self.warnings, "warnings", "documents.view_quarantinedfile"),
            self.own_page(
                "<int:pk>/first-lines/", self.first_lines, FIRST_LINES[6:], READ_FIRST_LINES
            ),
            *super().get_urls(),
        ]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Ingest the uploaded files and say how many were filed."""
        posted = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
        if form.is_valid():
            for file in form.cleaned_data["chosen"]:
                self._ingest(request, file)
            return redirect("admin:documents_quarantinedfile_changelist")
        return self.render_page(request, "admin/upload.html", "Upload files", form=form)

    # A megabyte more than the files, for the rest of the form.
    upload.most_bytes = MOST_AT_ONCE + 1024 * 1024  # type: ignore[attr-defined]

    def _ingest(self, request: HttpRequest, file: UploadedFile[Any]) -> None:
        total = BatchResult()
        for result in ingest(files_in(file.name or "upload", cast(Any, file))):
            total.filed += result.filed
            total.already_filed += result.already_filed
            total.refused += result.refused
        text = f"From {file.name}: {total.filed.total()} filed, {total.already_filed} filed before"
        text += f", {len(total.refused)} in quarantine." if total.refused else "."
        self.message_user(request, text, messages.WARNING if total.refused else messages.SUCCESS)
