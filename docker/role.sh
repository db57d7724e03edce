#!/bin/sh
# First start of PostgreSQL: the ordinary role the portal runs as, and its database.
set -eu
psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 --set password="$PORTAL_DB_PASSWORD" <<'SQL'
CREATE ROLE portal LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE portal OWNER portal ENCODING 'UTF8' TEMPLATE template0;
SQL
