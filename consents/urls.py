"""The consent screens. `/consent/<uuid>` finds its office itself; the rest is below an office."""

from django.urls import path

from consents.views import deciding, directory, keeping, reaccepting, sharing

app_name = "consents"
urlpatterns = [
    path("software", directory.public, name="software"),
    path("offices/<slug:slug>/software", directory.directory, name="directory"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/block", directory.block, name="block"),
    path("consent/<uuid:uuid>", deciding.manage, name="manage"),
    path("consent/<uuid:uuid>/confirm", deciding.confirm, name="confirm"),
    path("consent/<uuid:uuid>/result", deciding.result, name="result"),
    path("consent/<uuid:uuid>/ask", deciding.ask, name="ask"),
    path("offices/<slug:slug>/consents", keeping.overview, name="overview"),
    path("offices/<slug:slug>/consents.csv", keeping.export, name="export"),
    path("offices/<slug:slug>/consents/<uuid:uuid>", keeping.detail, name="detail"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/pause", keeping.pause, name="pause"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/resume", keeping.resume, name="resume"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/terms", reaccepting.terms, name="terms"),
    path(
        "offices/<slug:slug>/consents/<uuid:uuid>/reaffirm", reaccepting.reaffirm, name="reaffirm"
    ),
    path("offices/<slug:slug>/consents/<uuid:uuid>/scope", sharing.scope, name="scope"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/scope/more", sharing.more, name="more"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/receipt", keeping.receipt, name="receipt"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/evidence", keeping.evidence, name="evidence"),
    path("receipt-keys", keeping.keys, name="keys"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/cancel", keeping.cancel, name="cancel"),
]
