#!/bin/sh
# `manage.py` on a host without Docker: docker/manage.sh doctor. Run it as root, from /opt/portal.
# Each command gets the settings of the portal, and only those that need it the owner or the superuser.
set -eu
cd "$(dirname "$0")/.."
set -a
. /etc/portal.env
case ${1:-} in
migrate | upgrade) . /etc/portal-owner.env ;;
backup | restore) . /etc/portal-backup.env ;;
esac
PATH=$PWD/.venv/bin:$PATH
case ${1:-} in
# The only command that writes to the program's folder, which belongs to root.
collectstatic) exec python manage.py "$@" ;;
*) exec runuser -u portal -- python manage.py "$@" ;;
esac
