"""The companies of an office, their documents, and who reads them."""

from django.urls import path

from documents.views import companies, completeness, document, document_list, waiting_files

COMPANIES = "offices/<slug:slug>/companies"
COMPANY = f"{COMPANIES}/<str:number>"
DOCUMENT = f"{COMPANY}/documents/<uuid:uuid>"

app_name = "documents"
urlpatterns = [
    path(
        "offices/<slug:slug>/consents/<uuid:uuid>/companies",
        companies.software_use,
        name="software_use",
    ),
    path("offices/<slug:slug>/completeness", completeness.completeness, name="completeness"),
    path(
        "offices/<slug:slug>/completeness.csv",
        completeness.completeness_csv,
        name="completeness_csv",
    ),
    path(
        f"{COMPANY}/completeness",
        completeness.company_completeness,
        name="company_completeness",
    ),
    path("offices/<slug:slug>/waiting-files", waiting_files.waiting_files, name="waiting_files"),
    path(
        "offices/<slug:slug>/waiting-files/<slug:sha256>",
        waiting_files.file_it,
        name="file_it",
    ),
    path(COMPANY, companies.company, name="company"),
    path(f"{COMPANY}/who", companies.access_report, name="access_report"),
    path(f"{COMPANY}/reads.csv", companies.access_report_csv, name="access_report_csv"),
    path(f"{COMPANY}/documents", document_list.document_list, name="document_list"),
    path(DOCUMENT, document.document, name="document"),
    path(f"{DOCUMENT}/files/<path:media_type>", document.file, name="file"),
    path(f"{DOCUMENT}/attachments/<str:name>", document.attachment, name="attachment"),
    path(f"{DOCUMENT}/who", document.access_report, name="document_access_report"),
    path(f"{DOCUMENT}/reads.csv", document.access_report_csv, name="document_access_report_csv"),
]
