-- Jobs that began on or before day t, as known at t.
CREATE OR REPLACE TEMP TABLE jobs AS
SELECT
    p,
    company_id,
    unit_id,
    occupation_code[:1]::INTEGER AS major_group,
    industry_code[:2]::INTEGER AS division,
    position_percent,
    shift_work,
    is_leader,
    day_of(start_date) AS first,
    least(coalesce(day_of(end_date), getvariable('d')), getvariable('d')) AS last
FROM (
    SELECT p, employments.*
    FROM employments JOIN everyone USING (person_id)
    WHERE known_from < getvariable('t') AND employment
    QUALIFY row_number() OVER (PARTITION BY p, company_id, start_date ORDER BY known_from DESC) = 1
)
WHERE is_deleted = 0 AND start_date <= getvariable('t');

CREATE OR REPLACE TEMP TABLE main_jobs AS
SELECT * FROM jobs
WHERE last = getvariable('d')
QUALIFY row_number() OVER (PARTITION BY p ORDER BY position_percent DESC, first, company_id) = 1;

-- Unbroken employment in the company of the main job: after the last gap.
CREATE OR REPLACE TEMP TABLE tenures AS
WITH at_company AS (
    SELECT jobs.p, jobs.first, jobs.last FROM jobs JOIN main_jobs USING (p, company_id)
),
marked AS (
    SELECT
        p,
        first,
        coalesce(first > 1 + max(last) OVER (PARTITION BY p ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                 true) AS opens
    FROM at_company
)
SELECT p, (getvariable('d') - max(first)) / 365.25::DOUBLE AS tenure_years FROM marked WHERE opens GROUP BY p;

CREATE OR REPLACE TEMP TABLE events AS
SELECT
    p,
    count_if(kind = 'leader_change' AND day >= getvariable('d') - 365) AS leader_change,
    count_if(kind = 'reorganisation' AND day >= getvariable('d') - 365) AS reorganisation,
    count_if(kind = 'downsizing' AND day >= getvariable('d') - 365) AS downsizing,
    count_if(kind = 'intervention_session' AND day >= getvariable('d') - 365) AS intervention_session,
    getvariable('d') - max(day) FILTER (kind = 'leader_change') AS since_leader_change
FROM main_jobs JOIN known_events AS known ON main_jobs.company_id = known.company_id
    AND (known.unit_id IS NULL OR known.unit_id = main_jobs.unit_id)
GROUP BY p;

CREATE OR REPLACE TEMP TABLE workplace AS
SELECT
    everyone.p,
    (main.p IS NOT NULL)::INTEGER AS employed,
    coalesce(n_jobs, 0) AS n_jobs,
    if(in_all > 100, 100, in_all) AS position_percent,
    tenure_years,
    shift_work,
    is_leader,
    (major_group BETWEEN 1 AND 3)::INTEGER AS occupation_professional,
    (major_group = 4)::INTEGER AS occupation_clerical,
    (major_group = 5)::INTEGER AS occupation_service,
    (major_group BETWEEN 6 AND 9)::INTEGER AS occupation_manual,
    (division BETWEEN 5 AND 39)::INTEGER AS industry_manufacturing,
    (division BETWEEN 41 AND 43)::INTEGER AS industry_construction,
    (division BETWEEN 45 AND 47)::INTEGER AS industry_trade,
    (division BETWEEN 49 AND 53)::INTEGER AS industry_transport,
    (division BETWEEN 55 AND 56)::INTEGER AS industry_hospitality,
    (division BETWEEN 58 AND 82)::INTEGER AS industry_office,
    (division = 84)::INTEGER AS industry_public_administration,
    (division = 85)::INTEGER AS industry_education,
    (division BETWEEN 86 AND 88)::INTEGER AS industry_health_and_social,
    if(main.p IS NULL, NULL, coalesce(leader_change, 0)) AS events_leader_change_365,
    if(main.p IS NULL, NULL, coalesce(reorganisation, 0)) AS events_reorganisation_365,
    if(main.p IS NULL, NULL, coalesce(downsizing, 0)) AS events_downsizing_365,
    if(main.p IS NULL, NULL, coalesce(intervention_session, 0)) AS events_intervention_session_365,
    since_leader_change AS days_since_leader_change
FROM everyone
LEFT JOIN main_jobs AS main ON main.p = everyone.p
LEFT JOIN tenures ON tenures.p = everyone.p
LEFT JOIN events ON events.p = everyone.p
LEFT JOIN (
    SELECT p, count(*) AS n_jobs, sum(position_percent) AS in_all FROM jobs WHERE last = getvariable('d') GROUP BY p
) AS jobs_now ON jobs_now.p = everyone.p
WHERE employment;

-- What everybody adds to the totals of their company and unit, in whole numbers.
CREATE OR REPLACE TEMP TABLE parts AS
SELECT
    p,
    company_id,
    unit_id,
    1 AS own_persons,
    days_doctor_365::BIGINT AS own_days_doctor_365,
    own_cbi_work,
    own_who5_wellbeing,
    own_was_work_ability,
    own_shc_musculoskeletal
FROM main_jobs
LEFT JOIN absence_history USING (p)
LEFT JOIN (
    SELECT
        p,
        max(fixed) FILTER (scale = 'cbi_work') AS own_cbi_work,
        max(fixed) FILTER (scale = 'who5_wellbeing') AS own_who5_wellbeing,
        max(fixed) FILTER (scale = 'was_work_ability') AS own_was_work_ability,
        max(fixed) FILTER (scale = 'shc_musculoskeletal') AS own_shc_musculoskeletal
    FROM (
        SELECT p, scale, round_even(score * 1048576::DOUBLE, 0)::BIGINT AS fixed
        FROM scores JOIN scales USING (scale_no)
        WHERE place = 1 AND day >= getvariable('d') - 365
            AND scale IN ('cbi_work', 'who5_wellbeing', 'was_work_ability', 'shc_musculoskeletal')
    )
    GROUP BY p
) USING (p);
