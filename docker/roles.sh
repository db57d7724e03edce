#!/bin/sh
# First start of PostgreSQL: the owner of the tables, the role that the portal runs as, and their database.
set -eu
psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 \
    --set owner="$(cat /run/secrets/PORTAL_DB_OWNER_PASSWORD)" --set password="$(cat /run/secrets/PORTAL_DB_PASSWORD)" <<'SQL'
CREATE ROLE portal_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'owner';
CREATE ROLE portal LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE portal OWNER portal_owner ENCODING 'UTF8' TEMPLATE template0;
SQL
