from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        # The import connects the receivers to their signals.
        from notifications import receivers  # noqa: F401  # app loading: needs the models
