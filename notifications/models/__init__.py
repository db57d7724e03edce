"""Who must be told? What was sent, and what waits."""

from notifications.models.documents_notice import DocumentsNotice, FiledDocuments
from notifications.models.fan_out import CompanyFanOut, FanOut
from notifications.models.webhook_endpoint import Delivery, WebhookEndpoint
from notifications.models.webhook_key import WebhookKey

__all__ = [
    "CompanyFanOut",
    "Delivery",
    "DocumentsNotice",
    "FanOut",
    "FiledDocuments",
    "WebhookEndpoint",
    "WebhookKey",
]
