-- Everybody of the batch, with what is known at t and the consents in force on t.
CREATE OR REPLACE TEMP TABLE consented AS
SELECT
    person_id,
    bool_or(source = 'survey') AS survey,
    bool_or(source = 'lab') AS lab,
    bool_or(source = 'absence') AS absence,
    bool_or(source = 'employment') AS employment
FROM (
    SELECT * FROM consents
    WHERE purpose = 'risk_scoring'
    QUALIFY row_number() OVER (PARTITION BY person_id, source, given_on ORDER BY known_from DESC) = 1
)
WHERE is_deleted = 0
    AND given_on <= getvariable('t')
    AND (withdrawn_on IS NULL OR withdrawn_on > getvariable('t'))
GROUP BY person_id;

CREATE OR REPLACE TEMP TABLE everyone AS
SELECT
    row_number() OVER ()::INTEGER AS p,
    person_id,
    birth_year::INTEGER AS birth_year,
    (sex = 'female')::INTEGER AS is_female,
    CASE education_level WHEN 'basic' THEN 1 WHEN 'secondary' THEN 2 WHEN 'tertiary_short' THEN 3
        WHEN 'tertiary_long' THEN 4 END AS education,
    coalesce(survey, false) AS survey,
    coalesce(lab, false) AS lab,
    coalesce(absence, false) AS absence,
    coalesce(employment, false) AS employment
FROM (
    SELECT * FROM persons
    WHERE known_from < getvariable('t')
    QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY known_from DESC) = 1
)
LEFT JOIN consented USING (person_id)
WHERE is_deleted = 0;

CREATE OR REPLACE TEMP TABLE sessions AS
SELECT p, domain, day_of(held_on) AS day
FROM guidance_sessions JOIN everyone USING (person_id)
WHERE known_from < getvariable('t') AND held_on < getvariable('t') AND survey
GROUP BY p, domain, held_on
HAVING arg_max(is_deleted, known_from) = 0;

CREATE OR REPLACE TEMP TABLE life_situation AS
SELECT
    p,
    year(getvariable('t')) - birth_year AS age_years,
    is_female,
    education,
    if(survey, coalesce(n_365, 0), NULL) AS guidance_sessions_365,
    if(survey, coalesce(n_90, 0), NULL) AS guidance_sessions_90,
    if(survey, coalesce(n_domains, 0), NULL) AS guidance_domains_365,
    days_since_guidance,
    sin(2 * pi() * dayofyear(getvariable('t')) / 365.25::DOUBLE) AS season_sin,
    cos(2 * pi() * dayofyear(getvariable('t')) / 365.25::DOUBLE) AS season_cos
FROM everyone
LEFT JOIN (
    SELECT
        p,
        count(*) FILTER (day >= getvariable('d') - 365) AS n_365,
        count(*) FILTER (day >= getvariable('d') - 90) AS n_90,
        count(DISTINCT domain) FILTER (day >= getvariable('d') - 365) AS n_domains,
        getvariable('d') - max(day) AS days_since_guidance
    FROM sessions
    GROUP BY p
) USING (p);
