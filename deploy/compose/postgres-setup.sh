#!/bin/bash
# Makes the role and the database of Sagamore with deploy/postgres/setup.sql. The image runs it once, when the data
# folder is new.
set -euo pipefail

# A quote in the password is doubled, since setup.sql wants an SQL literal.
password="$(sed "s/'/''/g" /run/secrets/sagamore-password)"
psql --username "${POSTGRES_USER:-postgres}" --dbname postgres --no-password --quiet \
    --set "password='$password'" --file /usr/local/share/sagamore/setup.sql
