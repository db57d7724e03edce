"""The companies of an office, their documents, and who reads them."""

from django.urls import path

from documents.views import companies, filings, paper

COMPANIES = "offices/<slug:slug>/companies"
COMPANY = f"{COMPANIES}/<str:number>"
DOCUMENT = f"{COMPANY}/documents/<uuid:uuid>"

app_name = "documents"
urlpatterns = [
    path("offices/<slug:slug>/consents/<uuid:uuid>/companies", companies.use, name="use"),
    path(COMPANY, companies.company, name="company"),
    path(f"{COMPANY}/who", companies.watchers, name="watchers"),
    path(f"{COMPANY}/reads.csv", companies.reads, name="reads"),
    path(f"{COMPANY}/documents", filings.filings, name="filings"),
    path(DOCUMENT, paper.paper, name="paper"),
    path(f"{DOCUMENT}/files/<path:media_type>", paper.file, name="file"),
    path(f"{DOCUMENT}/who", paper.readers, name="readers"),
    path(f"{DOCUMENT}/reads.csv", paper.document_reads, name="document_reads"),
]
