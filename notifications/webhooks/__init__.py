"""Webhooks: sign the events of consents and send them to accounting software."""
