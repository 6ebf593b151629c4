-- Events of all companies as known at t, for every batch of persons.
CREATE OR REPLACE TEMP TABLE known_events AS
SELECT company_id, unit_id, kind, day_of(occurred_on) AS day
FROM (
    SELECT * FROM workplace_events
    WHERE known_from < getvariable('t') AND occurred_on < getvariable('t')
    QUALIFY row_number() OVER (PARTITION BY company_id, unit_id, kind, occurred_on ORDER BY known_from DESC) = 1
)
WHERE is_deleted = 0;
