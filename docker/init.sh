#!/usr/bin/env bash
# What has to be there before anything starts. Every step can be run again, and is at each `docker compose up`.
set -euo pipefail

airflow db migrate
genesys-cloud ledger upgrade

# Send tasks whose pool does not exist wait for ever without a word; a pool that exists keeps its size.
airflow pools get genesys_api >/dev/null 2>&1 ||
    airflow pools set genesys_api 4 "Send tasks of Genesys Cloud campaigns, at most so many at once."

# Airflow's simple auth manager reads passwords from a file; for a user who is not in it, it makes one up and logs it.
umask 077
python - <<'PYTHON'
import json, os, pathlib

place = pathlib.Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
place.write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}) + "\n")
PYTHON
