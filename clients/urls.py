"""The companies of an office, and how one of them goes to another office."""

from django.urls import path

from clients.views import bulk, moving, registry

app_name = "clients"
ONE = "offices/<slug:slug>/companies/<uuid:uuid>"
urlpatterns = [
    path("offices/<slug:slug>/companies", registry.companies, name="companies"),
    path("offices/<slug:slug>/companies/add", registry.add, name="add"),
    path("offices/<slug:slug>/companies/import", bulk.import_companies, name="import"),
    path("offices/<slug:slug>/companies/archive", bulk.archive_companies, name="archive_list"),
    path("offices/<slug:slug>/companies/export.csv", registry.export, name="export"),
    path(ONE, registry.record, name="record"),
    path(f"{ONE}/edit", registry.edit, name="edit"),
    path(f"{ONE}/accounts", registry.accounts, name="accounts"),
    path(f"{ONE}/accounts/<str:iban>/remove", registry.remove_account, name="remove_account"),
    path(f"{ONE}/archive", registry.archive, name="archive"),
    path(f"{ONE}/restore", registry.restore, name="restore"),
    path(f"{ONE}/transfer", moving.transfer, name="transfer"),
    path(f"{ONE}/withdraw", moving.withdraw, name="withdraw"),
    path("offices/<slug:slug>/transfers/<uuid:uuid>", moving.answer, name="answer"),
]
