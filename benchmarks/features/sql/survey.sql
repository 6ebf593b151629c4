-- Answers as known at t: one number per person, item and day.
CREATE OR REPLACE TEMP TABLE answers AS
SELECT p, item_no, day_of(answered_on) AS day, arg_max_null(if(is_deleted = 0, answer, NULL), known_from) AS answer
FROM survey_answers JOIN everyone USING (person_id) JOIN items USING (instrument, item)
WHERE known_from < getvariable('t') AND answered_on < getvariable('t') AND survey
GROUP BY p, item_no, answered_on
HAVING answer IS NOT NULL;

CREATE OR REPLACE TEMP TABLE ipaq AS
WITH sheets AS (
    SELECT
        p,
        day,
        max(answer) FILTER (item = 'vigorous_days') AS d1,
        max(answer) FILTER (item = 'moderate_days') AS d2,
        max(answer) FILTER (item = 'walking_days') AS d3,
        if(d1 = 0, 0, max(answer) FILTER (item = 'vigorous_minutes')) AS m1,
        if(d2 = 0, 0, max(answer) FILTER (item = 'moderate_minutes')) AS m2,
        if(d3 = 0, 0, max(answer) FILTER (item = 'walking_minutes')) AS m3,
        count_if(item <> 'sitting_minutes') AS n
    FROM answers JOIN items USING (item_no)
    WHERE instrument = 'ipaq_sf'
    GROUP BY p, day
),
cleaned AS (
    SELECT
        p, day,
        if(m1 >= 10, d1, 0) AS d1, if(m2 >= 10, d2, 0) AS d2, if(m3 >= 10, d3, 0) AS d3,
        if(m1 >= 10, least(m1, 180), 0) AS m1, if(m2 >= 10, least(m2, 180), 0) AS m2, if(m3 >= 10, least(m3, 180), 0) AS m3
    FROM sheets
    WHERE n >= 3 AND m1 + m2 + m3 <= 960 AND d1 + d2 + d3 IS NOT NULL
)
SELECT
    p,
    day,
    80 * d1 * m1 + 40 * d2 * m2 + 33 * d3 * m3 AS tenths,
    tenths / 10 AS ipaq_met_minutes,
    CASE
        WHEN (d1 >= 3 AND tenths >= 15000) OR (d1 + d2 + d3 >= 7 AND tenths >= 30000) THEN 3
        WHEN (d1 >= 3 AND m1 >= 20)
            OR if(m2 >= 30, d2, 0) + if(m3 >= 30, d3, 0) >= 5
            OR (d1 + d2 + d3 >= 5 AND tenths >= 6000) THEN 2
        ELSE 1
    END AS ipaq_category
FROM cleaned;

CREATE OR REPLACE TEMP TABLE complaints AS
SELECT
    p,
    day,
    count(*) AS n,
    count_if(item LIKE 'musculoskeletal%') AS n_pain,
    count_if(answer > 0) AS shc_complaints_count,
    count_if(answer >= 2) AS shc_substantial_count,
    count_if(answer > 0 AND item LIKE 'musculoskeletal%') AS shc_pain_regions_count,
    count(DISTINCT split_part(item, '_', 1)) FILTER (answer >= 2) AS shc_groups_count
FROM answers JOIN items USING (item_no)
WHERE instrument = 'shc'
GROUP BY p, day;

CREATE OR REPLACE TEMP TABLE back AS
SELECT
    p,
    day,
    sum(if(item = 'item_9', (answer >= 3)::INTEGER, answer)) AS total,
    sum(if(item = 'item_9', (answer >= 3)::INTEGER, answer)) FILTER (item >= 'item_5') AS psychosocial,
    count(*) AS n,
    count_if(item >= 'item_5') AS n_psychosocial
FROM answers JOIN items USING (item_no)
WHERE instrument = 'start_back'
GROUP BY p, day;

CREATE OR REPLACE TEMP TABLE work_ability AS
SELECT
    p,
    day,
    CASE max(answer) FILTER (item = 'work_type') WHEN 2 THEN 0.5::DOUBLE WHEN 1 THEN -0.5::DOUBLE ELSE 0::DOUBLE END AS tilt,
    max(answer) FILTER (item = 'diseases') AS diseases,
    sum(answer) FILTER (item IN ('resources_1', 'resources_2', 'resources_3')) AS resources,
    sum(answer) FILTER (item IN ('work_ability', 'impairment', 'sick_leave', 'prognosis'))
        + (1 + tilt) * max(answer) FILTER (item = 'physical')
        + (1 - tilt) * max(answer) FILTER (item = 'mental')
        + if(diseases = 0, 7, greatest(6 - diseases, 1))
        + 1 + (resources >= 4)::INTEGER + (resources >= 7)::INTEGER + (resources >= 10)::INTEGER AS score
FROM answers JOIN items USING (item_no)
WHERE instrument = 'wai'
GROUP BY p, day
HAVING count(*) = 11;

CREATE OR REPLACE TEMP TABLE cases AS
SELECT p, scale, day, bool_and(reached)::INTEGER AS score
FROM (
    SELECT p, scale, day, part, bool_or(answer >= threshold) AS reached, count(*) AS n
    FROM answers JOIN criteria USING (item_no)
    GROUP BY p, scale, day, part
)
JOIN scales USING (scale)
GROUP BY p, scale, day
HAVING sum(n) >= any_value(fewest_answers);

-- Every scale that could be scored, one row per person, scale and day; the most recent has place 1.
CREATE OR REPLACE TEMP TABLE scores AS
WITH scored AS (
    SELECT p, scale_no, day, total * factor / n AS score
    FROM (
        SELECT p, scale_no, day, count(*) AS n, sum(base + sign * answer) AS total
        FROM answers JOIN scale_items USING (item_no)
        GROUP BY p, scale_no, day
    )
    JOIN scales USING (scale_no)
    WHERE n >= fewest_answers
    UNION ALL
    SELECT p, scale_no, day, score
    FROM (
        SELECT p, 'ipaq_met_minutes' AS scale, day, ipaq_met_minutes AS score FROM ipaq
        UNION ALL SELECT p, 'ipaq_category', day, ipaq_category FROM ipaq
        UNION ALL SELECT p, 'shc_complaints_count', day, shc_complaints_count FROM complaints WHERE n = 29
        UNION ALL SELECT p, 'shc_substantial_count', day, shc_substantial_count FROM complaints WHERE n = 29
        UNION ALL SELECT p, 'shc_pain_regions_count', day, shc_pain_regions_count FROM complaints WHERE n_pain = 8
        UNION ALL SELECT p, 'shc_groups_count', day, shc_groups_count FROM complaints WHERE n = 29
        UNION ALL SELECT p, 'start_back_total', day, total FROM back WHERE n = 9
        UNION ALL SELECT p, 'start_back_psychosocial', day, psychosocial FROM back WHERE n_psychosocial = 5
        UNION ALL
        SELECT p, 'start_back_risk_group', day, CASE WHEN psychosocial >= 4 THEN 3 WHEN total <= 3 THEN 1 ELSE 2 END
        FROM back WHERE n = 9
        UNION ALL SELECT p, 'wai_work_ability_index', day, score FROM work_ability
        UNION ALL SELECT p, scale, day, score FROM cases
    )
    JOIN scales USING (scale)
)
SELECT *, row_number() OVER (PARTITION BY p, scale_no ORDER BY day DESC) AS place FROM scored;

CREATE OR REPLACE TEMP TABLE survey_long AS
WITH latest AS (
    SELECT
        p,
        scale_no,
        max(day) AS day,
        max(score) FILTER (place = 1) AS y1,
        max(score) FILTER (place = 2) AS y2,
        max(score) FILTER (place = 3) AS y3,
        max(day) FILTER (place = 2) - max(day) AS x2,
        max(day) FILTER (place = 3) - max(day) AS x3
    FROM scores
    WHERE place <= 3
    GROUP BY p, scale_no
),
named AS (
    SELECT latest.*, scale, instrument, is_followed FROM latest JOIN scales USING (scale_no)
)
SELECT p, scale AS feature, y1 AS value FROM named
UNION ALL
SELECT p, scale || '_change', y1 - y2 FROM named WHERE is_followed AND y2 IS NOT NULL
UNION ALL
SELECT p, scale || '_slope', slope_per_year(x2, x3, y1, y2, y3) FROM named WHERE is_followed AND x3 <= -90
UNION ALL
SELECT p, instrument || '_age_days', getvariable('d') - max(day) FROM named GROUP BY p, instrument;

CREATE OR REPLACE TEMP TABLE survey_response AS
WITH sheets AS (
    SELECT p, instrument_no, day, count(*) AS n, min(answer) = max(answer) AS is_straight
    FROM answers JOIN items USING (item_no)
    GROUP BY p, instrument_no, day
),
latest AS (
    SELECT p, max(day) AS day, count(DISTINCT day) FILTER (day >= getvariable('d') - 730) AS n_days FROM sheets GROUP BY p
),
of_latest AS (
    SELECT
        p,
        any_value(n_days) AS n_days,
        getvariable('d') - any_value(day) AS days_since_survey,
        count(*) AS instruments_answered,
        1 - sum(n) / sum(n_items) AS survey_items_missing_share,
        avg(is_straight::INTEGER) FILTER (n >= 5) AS straight_lining_share
    FROM sheets JOIN latest USING (p, day) JOIN instruments USING (instrument_no)
    GROUP BY p
)
SELECT p, coalesce(n_days, 0) AS survey_days_730, of_latest.* EXCLUDE (p, n_days)
FROM everyone LEFT JOIN of_latest USING (p)
WHERE survey;
