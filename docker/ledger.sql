-- The ledger's own user and database, beside Airflow's. Runs at each start and can be run again:
-- a changed LEDGER_DB_PASSWORD takes effect, everything else stays as it is.
\set ON_ERROR_STOP on
\getenv password LEDGER_DB_PASSWORD

SELECT 'CREATE ROLE ledger LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger') \gexec
ALTER ROLE ledger PASSWORD :'password';

SELECT 'CREATE DATABASE ledger OWNER ledger'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ledger') \gexec

-- The receiver faces the internet and knows the ledger's password; it opens no door to Airflow's own database.
REVOKE CONNECT ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE CONNECT ON DATABASE ledger FROM PUBLIC;
