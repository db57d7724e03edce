"""The CodaBox Connect API: explicit paths, no trailing slash, never a redirect."""

from django.urls import path, re_path

from partner_api.views import consents, documents, reference, root, tokens, webhooks

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
    path(f"{BASE}/events", webhooks.Events.as_view(), name="events"),
    path(f"{BASE}/webhooks", webhooks.Webhooks.as_view(), name="webhooks"),
    path(f"{BASE}/webhooks/keys", webhooks.Keys.as_view(), name="webhook_keys"),
    path(f"{BASE}/webhooks/deliveries", webhooks.Deliveries.as_view(), name="deliveries"),
    path(
        f"{BASE}/webhooks/deliveries/<str:event>/redelivery",
        webhooks.Redelivery.as_view(),
        name="redelivery",
    ),
    path("webhooks", webhooks.Webhooks.as_view(), name="webhooks_at_the_root"),
    path("webhooks/keys", webhooks.Keys.as_view(), name="webhook_keys_at_the_root"),
    # Everything else below the prefixes, so that no middleware ever sees (and redirects) it.
    re_path(rf"^(?:{BASE}|webhooks)(?:/.*)?$", root.Nothing.as_view(), name="nothing"),
]
