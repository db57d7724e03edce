from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        # The import registers the checks.
        from monitoring import checks  # noqa: F401  # app loading: needs the models
