"""The CodaBox Connect API: explicit paths, no trailing slash, never a redirect."""

from django.urls import path, re_path

from partner_api.views import consents, documents, reference, root, tokens

app_name = "partner_api"
BASE = "codabox-connect"
OFFICE = f"{BASE}/accounting-offices/<str:office>"
urlpatterns = [
    path("developers", reference.developers, name="developers"),
    path(f"{BASE}/openapi.json", reference.OpenApi.as_view(), name="openapi"),
    path(BASE, root.Root.as_view(), name="root"),
    path(f"{BASE}/oauth2/token", tokens.Token.as_view(), name="token"),
    path(f"{BASE}/oauth2/revoke", tokens.Revoke.as_view(), name="revoke"),
    path(f"{BASE}/accounting-office-consents", consents.Consents.as_view(), name="consents"),
    path(
        f"{BASE}/accounting-office-consents/<str:consent>",
        consents.OneConsent.as_view(),
        name="consent",
    ),
    path(f"{OFFICE}/document-searches", documents.Searches.as_view(), name="document_searches"),
    path(
        f"{OFFICE}/clients/<str:client>/<str:kind>/<str:document>",
        documents.OneDocument.as_view(),
        name="document",
    ),
    # Everything else below the prefix, so that no middleware ever sees (and redirects) it.
    re_path(rf"^{BASE}(?:/.*)?$", root.Nothing.as_view(), name="nothing"),
]
