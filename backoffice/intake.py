"""Operators see what was refused and why, try it again, give it up, and hand files in.

They do not open client files: name, reason, line and size, and never what stands in them.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from backoffice.site import LookUp
from documents.arrivals import of_file
from documents.ingest import Taken, ingest
from documents.models import Quarantined
from documents.storage import Damaged

# More than this is for `manage.py ingest` or the drop folder: here a person waits.
MOST_AT_ONCE = 32 * 1024 * 1024


class ManyFiles(forms.FileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Each file must be right, and all of them together no more than a person waits for."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = [super(ManyFilesField, self).clean(each, initial) for each in data or [None]]
        if sum(file.size for file in files) > MOST_AT_ONCE:
            raise forms.ValidationError("That is too much at once: use the drop folder for it.")
        return files


class UploadForm(forms.Form):
    """Files or ZIPs, some at once."""

    chosen = ManyFilesField(
        label="Files", help_text="CODA, SODA, CARO, UBL, or ZIPs of them; together 32 MiB at most."
    )


@admin.register(Quarantined)
class Quarantine(LookUp):
    """The detail of a refusal can quote the file, so it is not shown."""

    told = ("reason", "line", "size", "state", "received_at", "tried_at", "tries")
    list_display = ["name", *told]
    list_filter = ["state", "reason"]
    search_fields = ["name"]
    ordering = ["-pk"]
    show_full_result_count = False
    fields = ["name", *told]
    actions = ["replay", "discard"]
    change_list_template = "admin/quarantine.html"

    @admin.action(description="Try again")
    def replay(self, request: HttpRequest, chosen: QuerySet[Quarantined]) -> None:
        filed = damaged = 0
        for waiting in chosen:
            try:
                filed += waiting.replay()
            except Damaged:
                damaged += 1
            self.log_change(request, waiting, "Tried again.")
        level = messages.ERROR if damaged else messages.SUCCESS
        lost = f" The kept bytes of {damaged} are damaged." if damaged else ""
        self.message_user(request, f"{filed} of {len(chosen)} filed.{lost}", level)

    @admin.action(description="Discard")
    def discard(self, request: HttpRequest, chosen: QuerySet[Quarantined]) -> None:
        for waiting in chosen:
            if waiting.discard():
                self.log_change(request, waiting, "Discarded.")

    def get_urls(self) -> list[URLPattern]:
        upload = self.admin_site.admin_view(self.upload)
        return [path("upload/", upload, name="upload"), *super().get_urls()]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take the files in at once and say what came of them."""
        posted = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
        if form.is_valid():
            for file in form.cleaned_data["chosen"]:
                self._take_in(request, file)
            return redirect("admin:documents_quarantined_changelist")
        context = {**self.admin_site.each_context(request), "title": "Hand files in", "form": form}
        return TemplateResponse(request, "admin/upload.html", context)

    def _take_in(self, request: HttpRequest, file: UploadedFile[Any]) -> None:
        total = Taken()
        for taken in ingest(of_file(file.name or "upload", cast(Any, file))):
            total.filed += taken.filed
            total.known += taken.known
            total.refused += taken.refused
        told = f"From {file.name}: {total.filed.total()} filed, {total.known} known already"
        told += f", {len(total.refused)} in quarantine." if total.refused else "."
        self.message_user(request, told, messages.WARNING if total.refused else messages.SUCCESS)
