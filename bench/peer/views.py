"""A view set: find the objects, serialize them, answer."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_json_api.renderers import JSONRenderer
from rest_framework_json_api.views import ModelViewSet

from bench.peer.serializers import (
    CodaRenderer,
    DocumentSerializer,
    JsonApiParser,
    SearchSerializer,
)
from consents.models import Consent, Status
from core.document_kinds import Kind
from documents.models import Content, Document
from documents.storage.blobs import name_of, storage


class ConsentAllows(BasePermission):
    """The partner behind the token has a live consent of the office in the path."""

    def has_permission(self, request: Request, view: Any) -> bool:
        token: Any = request.auth
        if not token:
            return False
        consents = Consent.objects.select_related("office", "partner").filter(
            office__uuid=view.kwargs["office"],
            office__is_active=True,
            partner=token.application.partner,
            status=Status.ALLOWED,
            paused_at=None,
        )
        view.consent = consents.first()
        return view.consent is not None


class Documents(ModelViewSet):  # type: ignore[misc]  # the package has no types
    permission_classes = [ConsentAllows]
    serializer_class = DocumentSerializer
    parser_classes = [JsonApiParser]
    renderer_classes = [JSONRenderer, CodaRenderer]
    lookup_field = "uuid"

    def get_queryset(self) -> QuerySet[Document]:
        consent: Consent = self.consent  # set by the permission
        return Document.objects.select_related("client").filter(
            office_id=consent.office_id,
            kind=Kind.BANK_ACCOUNT_STATEMENT,
            client__archived_at=None,
        )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        document = self.get_object()
        if document.client.company_number != kwargs["number"]:
            return Response(status=404)
        if request.accepted_renderer.format == "coda":
            return self._file(document)
        return Response(self.get_serializer(document).data)

    def _file(self, document: Document) -> HttpResponseBase:
        content = get_object_or_404(Content, document=document)
        file = storage().open(name_of(content.sha256))
        return FileResponse(file, content_type=content.media_type)

    def search(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = SearchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data, paging = asked.validated_data["data"], asked.validated_data["meta"]["paging"]
        numbers = [client["id"] for client in data["relationships"]["clients"]["data"]]
        found = self.get_queryset().filter(
            client__company_number__in=numbers,
            available_at__gte=data["attributes"]["from"],
            available_at__lt=data["attributes"]["to"],
        )
        if "after" in paging:
            last = get_object_or_404(Document, uuid=paging["after"])
            later = Q(available_at=last.available_at, id__gt=last.pk)
            found = found.filter(Q(available_at__gt=last.available_at) | later)
        limit = paging["limit"]
        rows = list(found.order_by("available_at", "id")[: limit + 1])
        told = {"limit": limit}
        if len(rows) > limit:
            told["after"] = str(rows[limit - 1].uuid)
        page = self.get_serializer(rows[:limit], many=True)
        return Response({"results": page.data, "meta": {"paging": told}}, status=201)
