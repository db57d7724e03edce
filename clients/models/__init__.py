"""Whose books does this office keep?"""

from clients.models.account import Account
from clients.models.client import STATES, Client, ClientQuerySet
from clients.models.event import ClientEvent, ClientEventKind
from clients.models.transfer import Transfer

__all__ = [
    "STATES",
    "Account",
    "Client",
    "ClientEvent",
    "ClientEventKind",
    "ClientQuerySet",
    "Transfer",
]
