"""The peer: what a usual Django user would pick for the same contract.

DRF's generic view set and serializers, model objects, oauth-toolkit's own authentication class,
the middleware of `startproject`; with persistent connections and the product's good indexes. Two
things are kinder to it than the specification's peer: there is no JSON:API package installed, so
plain serializers render the same shape for less, and it is served by granian as ours is, not by
gunicorn. It writes no audit row and counts no calls.
"""
