from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        # The imports register the checks and the signals of the jobs.
        from monitoring import checks, job_timings  # noqa: F401  # app loading: needs the models
