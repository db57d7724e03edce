"""The signal of filed documents: sent inside the transaction that files them.

A receiver may write rows, which are then committed together with the documents.
"""

from django.dispatch import Signal

documents_filed = Signal()  # filed: list[FiledDocument]
