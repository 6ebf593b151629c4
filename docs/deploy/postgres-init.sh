#!/bin/bash
# Run once by the PostgreSQL image, on an empty data directory: the roles of docs/deploy/service.md and the databases of
# docs/deploy/mlflow.md. Passwords come from files; psql quotes them.
set -euo pipefail

secret() { cat "/run/secrets/postgres_$1"; }

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner="$(secret owner)" --set store="$(secret store)" --set audit="$(secret audit)" \
  --set auditor="$(secret auditor)" --set mlflow="$(secret mlflow)" <<'SQL'
CREATE ROLE balance_risk_owner LOGIN PASSWORD :'owner';
CREATE ROLE balance_risk_store LOGIN PASSWORD :'store';
CREATE ROLE balance_risk_audit LOGIN PASSWORD :'audit';
CREATE ROLE balance_risk_auditor LOGIN PASSWORD :'auditor';
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow';
CREATE DATABASE balance_risk_store OWNER balance_risk_owner ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE balance_risk_audit OWNER balance_risk_owner ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE mlflow OWNER mlflow ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE mlflow_accounts OWNER mlflow ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE balance_risk_store, balance_risk_audit FROM PUBLIC;
REVOKE ALL ON DATABASE mlflow, mlflow_accounts FROM PUBLIC;
GRANT CONNECT ON DATABASE balance_risk_store TO balance_risk_store;
GRANT CONNECT ON DATABASE balance_risk_audit TO balance_risk_audit, balance_risk_auditor;
\connect balance_risk_store
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE balance_risk_owner
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO balance_risk_store;
ALTER DEFAULT PRIVILEGES FOR ROLE balance_risk_owner GRANT USAGE ON SEQUENCES TO balance_risk_store;
\connect balance_risk_audit
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE balance_risk_owner GRANT SELECT, INSERT ON TABLES TO balance_risk_audit;
ALTER DEFAULT PRIVILEGES FOR ROLE balance_risk_owner GRANT SELECT ON TABLES TO balance_risk_auditor;
SQL
