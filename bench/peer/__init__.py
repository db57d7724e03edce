"""The peer: what a usual Django user would pick for the same contract.

DRF's generic view set with the JSON:API package, model objects, oauth-toolkit's own authentication
class, the middleware of `startproject`, gunicorn's sync workers; with persistent connections to the
database and the product's good indexes. It answers plain JSON:API, so that a page has an array of
resources where the contract has an object, and names a client by its key. It writes no audit row
and counts no calls.
"""
