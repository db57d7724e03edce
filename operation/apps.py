from django.apps import AppConfig


class OperationConfig(AppConfig):
    name = "operation"

    def ready(self) -> None:
        from operation import checks  # noqa: F401  # registers
