"""The consent screens. `/consent/<uuid>` finds its office itself; the others name theirs."""

from django.urls import path

from consents.views import decision, directory, manage, scope, terms

app_name = "consents"
urlpatterns = [
    path("software", directory.public, name="software"),
    path("offices/<slug:slug>/software", directory.directory, name="directory"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/block", directory.block, name="block"),
    path("consent/<uuid:uuid>", decision.manage, name="manage"),
    path("consent/<uuid:uuid>/confirm", decision.confirm, name="confirm"),
    path("consent/<uuid:uuid>/result", decision.result, name="result"),
    path("consent/<uuid:uuid>/ask", decision.ask, name="ask"),
    path("offices/<slug:slug>/consents", manage.overview, name="overview"),
    path("offices/<slug:slug>/consents.csv", manage.export, name="export"),
    path("offices/<slug:slug>/consents/<uuid:uuid>", manage.detail, name="detail"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/pause", manage.pause, name="pause"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/resume", manage.resume, name="resume"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/terms", terms.terms, name="terms"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/reaffirm", terms.reaffirm, name="reaffirm"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/scope", scope.scope, name="scope"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/scope/more", scope.widen, name="widen"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/receipt", manage.receipt, name="receipt"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/evidence", manage.evidence, name="evidence"),
    path("receipt-keys", manage.keys, name="keys"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/cancel", manage.cancel, name="cancel"),
]
