from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "documents"

    def ready(self) -> None:
        # The import registers what the list of companies shows beside each of them.
        from documents import last_seen  # noqa: F401  # app loading: needs the models
