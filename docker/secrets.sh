#!/bin/sh
# The secrets of docker-compose.yml, a file each in secrets/: docker/secrets.sh smtp+tls://user:password@host:587
# A file that is there stays as it is. The folder is closed to other accounts of this host; the files
# are not, because each container reads its own as an account of its own.
set -eu
umask 077
mkdir -p secrets
cd secrets
put() { [ -s "$1" ] || printf '%s' "$2" > "$1"; chmod 444 "$1"; }
put PORTAL_SECRET_KEY "$(openssl rand -hex 32)"
put PORTAL_RECEIPT_KEY "$(openssl rand -base64 32)"
[ -s EMAIL_URL ] || put EMAIL_URL "${1:?name the mail server: smtp+tls://user:password@host:587}"
for name in PORTAL_DB_PASSWORD PORTAL_DB_OWNER_PASSWORD POSTGRES_PASSWORD PORTAL_REDIS_PASSWORD; do
    put $name "$(openssl rand -hex 24)"
done
put DATABASE_URL "postgres://portal:$(cat PORTAL_DB_PASSWORD)@postgres:5432/portal"
put DATABASE_OWNER_URL "postgres://portal_owner:$(cat PORTAL_DB_OWNER_PASSWORD)@postgres:5432/portal"
put DATABASE_SUPERUSER_URL "postgres://postgres:$(cat POSTGRES_PASSWORD)@postgres:5432/portal"
put REDIS_URL "redis://:$(cat PORTAL_REDIS_PASSWORD)@redis:6379/0"
