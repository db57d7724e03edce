"""The CodaBox Connect API: explicit paths, no trailing slash, never a redirect."""

from django.urls import path, re_path

from partner_api.hot_path import views as hot_path
from partner_api.views import (
    acknowledgements,
    attachments,
    clients,
    consents,
    document_changes,
    document_downloads,
    reference,
    root,
    sandbox,
    tokens,
    webhook_endpoint,
    webhooks,
)

app_name = "partner_api"
BASE = "codabox-connect"
OFFICE = f"{BASE}/accounting-offices/<str:office>"
DOCUMENT = f"{OFFICE}/clients/<str:client>/<str:kind>/<str:document>"
urlpatterns = [
    # The most frequent calls first: each pattern that is tried in vain costs 2 µs.
    path(
        f"{OFFICE}/document-searches", hot_path.DocumentSearches.as_view(), name="document_searches"
    ),
    path(DOCUMENT, hot_path.OneDocument.as_view(), name="document"),
    path("developers", reference.developers, name="developers"),
    path("developers/calls", reference.calls, name="reference"),
    path("developers/postman.json", reference.postman, name="postman"),
    path("developers/<slug:name>", reference.guide_page, name="guide"),
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
    path(f"{DOCUMENT}/file", hot_path.DocumentFile.as_view(), name="document_file"),
    path(f"{DOCUMENT}/attachments", attachments.Attachments.as_view(), name="attachments"),
    path(f"{OFFICE}/clients", clients.Clients.as_view(), name="clients"),
    path(
        f"{OFFICE}/acknowledgements",
        acknowledgements.Acknowledgements.as_view(),
        name="acknowledgements",
    ),
    path(
        f"{OFFICE}/document-downloads",
        document_downloads.DocumentDownloads.as_view(),
        name="document_downloads",
    ),
    path(
        f"{OFFICE}/document-changes",
        document_changes.DocumentChanges.as_view(),
        name="document_changes",
    ),
    path(
        f"{DOCUMENT}/attachments/<str:name>",
        attachments.OneAttachment.as_view(),
        name="attachment",
    ),
    path(
        f"{BASE}/sandbox/accounting-offices",
        sandbox.SandboxOffices.as_view(),
        name="sandbox_offices",
    ),
    path(
        f"{BASE}/sandbox/accounting-offices/<str:office>/documents",
        sandbox.SandboxDocuments.as_view(),
        name="sandbox_documents",
    ),
    path(
        f"{BASE}/sandbox/accounting-office-consents/<str:consent>/decisions",
        sandbox.SandboxDecisions.as_view(),
        name="sandbox_decisions",
    ),
    path(f"{BASE}/events", webhooks.Events.as_view(), name="events"),
    path(f"{BASE}/webhooks", webhooks.Webhooks.as_view(), name="webhooks"),
    path(f"{BASE}/webhooks/keys", webhooks.Keys.as_view(), name="webhook_keys"),
    path(f"{BASE}/webhooks/endpoint", webhook_endpoint.Endpoint.as_view(), name="webhook_endpoint"),
    path(
        f"{BASE}/webhooks/endpoint/test",
        webhook_endpoint.EndpointTest.as_view(),
        name="webhook_endpoint_test",
    ),
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
