"""The same paths as the product, so that the same requests reach both."""

from django.http import HttpResponse
from django.urls import path

from bench.peer.views import Documents

OFFICE = "codabox-connect/accounting-offices/<uuid:office>"
urlpatterns = [
    path("codabox-connect", lambda request: HttpResponse("{}")),
    path(f"{OFFICE}/document-searches", Documents.as_view({"post": "search"})),
    path(
        f"{OFFICE}/clients/<str:number>/bank-account-statements/<uuid:uuid>",
        Documents.as_view({"get": "retrieve"}),
    ),
]
