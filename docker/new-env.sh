#!/usr/bin/env bash
# Prints a .env for docker-compose.yaml: .env.example with every secret that can be made up filled in.
#
#   bash docker/new-env.sh > .env           fill in GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET yourself
#   bash docker/new-env.sh --demo > .env    for the simulator; nothing to fill in
set -euo pipefail
cd "$(dirname "$0")/.."

# Hexadecimal, since some of them stand in URLs.
hex() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
fernet() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }

demo=${1:-}
client=demo-client
client_secret=$(hex 24)
webhook_secret=$(hex 32)

while IFS= read -r line; do
    case "$line" in
    AIRFLOW_FERNET_KEY=) line+=$(fernet) ;;
    AIRFLOW_JWT_SECRET=) line+=$(hex 48) ;;
    AIRFLOW_SECRET_KEY= | AIRFLOW_ADMIN_PASSWORD= | POSTGRES_PASSWORD= | LEDGER_DB_PASSWORD= | REDIS_PASSWORD=)
        line+=$(hex 24) ;;
    GENESYS_WEBHOOK_SECRET=) line+=$webhook_secret ;;
    esac
    if [ "$demo" = --demo ]; then
        case "$line" in
        GENESYS_CLIENT_ID=) line+=$client ;;
        GENESYS_CLIENT_SECRET=) line+=$client_secret ;;
        GENESYS_BASE_URL=) line+=http://simulator:8900 ;;
        GENESYS_WEBHOOK_URL=) line+=http://receiver:3000/webhooks/genesys-messaging ;;
        SIMULATOR_REQUESTS_PER_MINUTE=*) line=SIMULATOR_REQUESTS_PER_MINUTE=60000 ;;
        "# AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT="*)
            # The account's limit is a field of the connection, and the simulator's is no 300 a minute here.
            line="AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT='{\"conn_type\": \"genesys_cloud\", \"login\": \"$client\","
            line+=" \"password\": \"$client_secret\", \"host\": \"http://simulator:8900\", \"extra\":"
            line+=" {\"requests_per_minute\": 60000, \"webhook_secret\": \"$webhook_secret\"}}'" ;;
        esac
    fi
    printf '%s\n' "$line"
done < .env.example
