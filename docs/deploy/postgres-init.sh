#!/bin/bash
# Run once by the PostgreSQL image, on an empty data directory: the roles of docs/deploy/service.md and the databases of
# docs/deploy/mlflow.md. Passwords come from files; psql quotes them.
# `bash roles.sh again`, before a restore: the two databases of the service get another name, and empty ones are made.
set -euo pipefail

secret() { cat "/run/secrets/postgres_$1"; }

as_administrator() { psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres "$@"; }

if [ "${1-}" = again ]; then
  PGPASSWORD=$(secret admin)
  export PGPASSWORD
  as_administrator <<'SQL'
ALTER DATABASE balance_risk_store RENAME TO balance_risk_store_old;
ALTER DATABASE balance_risk_audit RENAME TO balance_risk_audit_old;
SQL
else
  as_administrator --set owner="$(secret owner)" --set store="$(secret store)" --set audit="$(secret audit)" \
    --set auditor="$(secret auditor)" --set mlflow="$(secret mlflow)" <<'SQL'
CREATE ROLE balance_risk_owner LOGIN PASSWORD :'owner';
CREATE ROLE balance_risk_store LOGIN PASSWORD :'store';
CREATE ROLE balance_risk_audit LOGIN PASSWORD :'audit';
CREATE ROLE balance_risk_auditor LOGIN PASSWORD :'auditor';
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow';
CREATE DATABASE mlflow OWNER mlflow ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE mlflow_accounts OWNER mlflow ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE mlflow, mlflow_accounts FROM PUBLIC;
SQL
fi

as_administrator <<'SQL'
CREATE DATABASE balance_risk_store OWNER balance_risk_owner ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE balance_risk_audit OWNER balance_risk_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE balance_risk_store, balance_risk_audit FROM PUBLIC;
GRANT CONNECT ON DATABASE balance_risk_store TO balance_risk_store;
GRANT CONNECT ON DATABASE balance_risk_audit TO balance_risk_audit, balance_risk_auditor;
\connect balance_risk_store
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE balance_risk_owner
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO balance_risk_store;
ALTER DEFAULT PRIVILEGES FOR ROLE balance_risk_owner GRANT USAGE, SELECT ON SEQUENCES TO balance_risk_store;
\connect balance_risk_audit
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE balance_risk_owner GRANT SELECT, INSERT ON TABLES TO balance_risk_audit;
ALTER DEFAULT PRIVILEGES FOR ROLE balance_risk_owner GRANT SELECT ON TABLES TO balance_risk_auditor;
-- Whoever may take the lock under which events are written can stop the service: not the auditor.
DO $$
DECLARE lock regprocedure;
BEGIN
  FOR lock IN SELECT oid FROM pg_proc WHERE proname ~ '^pg_(try_)?advisory_(xact_)?lock' LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', lock);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO balance_risk_owner, balance_risk_audit', lock);
  END LOOP;
END $$;
SQL
