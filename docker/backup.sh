#!/bin/sh
# The backup of today below the folder $1. Documents of the last whole backup are linked, not copied.
set -eu
last=$(find "$1" -mindepth 2 -maxdepth 2 -name manifest.json | sort | tail -n 1)
exec python manage.py backup "$1/$(date +%F)" ${last:+--previous "$(dirname "$last")"}
