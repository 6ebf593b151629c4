-- Results as known at t, in the canonical unit; of several of a day a later one has a larger rank.
CREATE OR REPLACE TEMP TABLE measured AS
SELECT
    p,
    analyte_no,
    day_of(sampled_on) AS day,
    comparator,
    value * factor + "offset" AS value,
    reference_low * factor + "offset" AS low,
    reference_high * factor + "offset" AS high,
    256::INTEGER * day_of(known_from) + code_rank AS rank
FROM (
    SELECT p, codes.* EXCLUDE (code_system, code, unit), lab_results.* EXCLUDE (code_system, code, unit, person_id, laboratory)
    FROM lab_results JOIN everyone USING (person_id) JOIN codes USING (code_system, code, unit)
    WHERE known_from < getvariable('t') AND sampled_on < getvariable('t') AND lab
    QUALIFY row_number() OVER (PARTITION BY p, code_no, sampled_on ORDER BY known_from DESC) = 1
)
WHERE is_deleted = 0;

CREATE OR REPLACE TEMP TABLE exact AS
SELECT p, analyte_no, day, value, low, high
FROM measured
WHERE comparator IS NULL
QUALIFY row_number() OVER (PARTITION BY p, analyte_no, day ORDER BY rank DESC) = 1;

CREATE OR REPLACE TEMP TABLE derived AS
WITH heights AS (
    SELECT p, day, value FROM exact JOIN analytes USING (analyte_no) WHERE analyte = 'height'
),
weights AS (
    SELECT p, day, value FROM exact JOIN analytes USING (analyte_no) WHERE analyte = 'weight'
),
first_height AS (
    SELECT p, arg_min(value, day) AS value FROM heights GROUP BY p
),
body AS (
    SELECT weights.p, weights.day, weights.value AS weight, coalesce(heights.value, first_height.value) / 100 AS metres
    FROM weights
    ASOF LEFT JOIN heights ON weights.p = heights.p AND weights.day >= heights.day
    LEFT JOIN first_height ON weights.p = first_height.p
),
lipids AS (
    SELECT
        p,
        day,
        max(value) FILTER (analyte = 'total_cholesterol') AS total,
        max(value) FILTER (analyte = 'hdl') AS hdl,
        max(value) FILTER (analyte = 'triglycerides') AS fat
    FROM exact JOIN analytes USING (analyte_no)
    WHERE analyte IN ('total_cholesterol', 'hdl', 'triglycerides')
    GROUP BY p, day
),
kidney AS (
    SELECT
        p,
        day,
        is_female = 1 AS female,
        value / 88.4::DOUBLE / if(female, 0.7::DOUBLE, 0.9::DOUBLE) AS ratio,
        year_of(day) - birth_year AS age
    FROM exact JOIN analytes USING (analyte_no) JOIN everyone USING (p)
    WHERE analyte = 'creatinine'
),
computed AS (
    SELECT 'bmi' AS analyte, p, day, weight / (metres * metres) AS value FROM body
    UNION ALL
    SELECT 'non_hdl', p, day, total - hdl FROM lipids WHERE hdl < total
    UNION ALL
    SELECT 'ldl', p, day, total - hdl - fat / 2.2::DOUBLE FROM lipids WHERE fat <= 4.5::DOUBLE
    UNION ALL
    SELECT
        'egfr', p, day,
        if(female, 144, 141)::DOUBLE * least(ratio, 1::DOUBLE) ** if(female, -0.329::DOUBLE, -0.411::DOUBLE)
            * greatest(ratio, 1::DOUBLE) ** -1.209::DOUBLE * 0.993::DOUBLE ** age
    FROM kidney
    WHERE age >= 18
)
SELECT p, analyte_no, day, value
FROM computed JOIN analytes USING (analyte)
WHERE value BETWEEN hard_low AND hard_high;

-- The three most recent exact results of every person and analyte, y1 the most recent, with the days since the first.
CREATE OR REPLACE TEMP TABLE course AS
WITH series AS (
    SELECT p, analyte_no, day, value, low, high FROM exact
    UNION ALL
    SELECT p, analyte_no, day, value, NULL, NULL FROM derived ANTI JOIN exact USING (p, analyte_no, day)
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY p, analyte_no ORDER BY day DESC) AS place FROM series
)
SELECT
    p,
    analyte_no,
    max(day) AS day,
    max(value) FILTER (place = 1) AS y1,
    max(value) FILTER (place = 2) AS y2,
    max(value) FILTER (place = 3) AS y3,
    max(low) FILTER (place = 1) AS low,
    max(high) FILTER (place = 1) AS high,
    max(day) FILTER (place = 2) - max(day) AS x2,
    max(day) FILTER (place = 3) - max(day) AS x3
FROM placed
WHERE place <= 3
GROUP BY p, analyte_no;

CREATE OR REPLACE TEMP TABLE latest AS
WITH last_bound AS (
    SELECT p, analyte_no, day, comparator, value, low, high
    FROM measured
    WHERE comparator IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY p, analyte_no ORDER BY day DESC, rank DESC) = 1
),
newer_bound AS (
    SELECT last_bound.*
    FROM last_bound LEFT JOIN course USING (p, analyte_no)
    WHERE course.day IS NULL OR last_bound.day > course.day
)
SELECT * FROM newer_bound
UNION ALL
SELECT p, analyte_no, day, NULL, y1, low, high FROM course ANTI JOIN newer_bound USING (p, analyte_no);

CREATE OR REPLACE TEMP TABLE distances AS
WITH against AS (
    SELECT
        p,
        latest.analyte_no,
        comparator,
        value,
        latest.low IS NOT NULL OR latest.high IS NOT NULL AS is_own,
        if(is_own, latest.low, limits.low) AS low,
        if(is_own, latest.high, limits.high) AS high,
        if(is_own, value > latest.high, value::FLOAT > high_single) AS above,
        if(is_own, value < latest.low, value::FLOAT < low_single) AS below,
        -- What a bound is held against: strictly beyond the value, or the value itself.
        if(is_own, latest.low, low_inside::DOUBLE) AS low_in,
        if(is_own, latest.high, high_inside::DOUBLE) AS high_in,
        if(is_own, latest.low, low_single::DOUBLE) AS low_at,
        if(is_own, latest.high, high_single::DOUBLE) AS high_at,
        if(is_own, value, value::FLOAT::DOUBLE) AS v
    FROM latest
    JOIN everyone USING (p)
    LEFT JOIN limits
        ON latest.analyte_no = limits.analyte_no
        AND everyone.is_female = limits.is_female
        AND year_of(latest.day) - birth_year = limits.age
)
SELECT
    p,
    analyte_no,
    CASE
        WHEN low IS NULL AND high IS NULL THEN NULL
        WHEN comparator = '<' AND NOT if(low > 0, v <= low_in, v <= high_at) THEN NULL
        WHEN comparator = '<=' AND NOT if(low > 0, v < low_in, v <= high_in) THEN NULL
        WHEN comparator = '>' AND NOT if(high IS NULL, v >= low_at, v >= high_in) THEN NULL
        WHEN comparator = '>=' AND NOT if(high IS NULL, v >= low_in, v > high_in) THEN NULL
        WHEN above THEN if(high > value * 1e-6, (value - high) / high, NULL)
        WHEN below THEN if(low > value * 1e-6, (value - low) / low, NULL)
        ELSE 0
    END AS distance
FROM against;

CREATE OR REPLACE TEMP TABLE labs_long AS
SELECT p, analyte AS feature, value FROM latest JOIN analytes USING (analyte_no)
UNION ALL
SELECT p, analyte || '_distance', distance FROM distances JOIN analytes USING (analyte_no)
WHERE has_distance AND distance IS NOT NULL
UNION ALL
SELECT p, analyte || '_change', y1 - y2 FROM course JOIN analytes USING (analyte_no) WHERE is_followed AND y2 IS NOT NULL
UNION ALL
SELECT p, analyte || '_slope', slope_per_year(x2, x3, y1, y2, y3) FROM course JOIN analytes USING (analyte_no)
WHERE is_followed AND x3 <= -90
UNION ALL
SELECT p, examination || '_age_days', getvariable('d') - max(day)
FROM latest JOIN analytes USING (analyte_no)
GROUP BY p, examination;

CREATE OR REPLACE TEMP TABLE lab_counts AS
SELECT p, coalesce(n_bounds, 0) AS lab_bounds_count, coalesce(n_measured, 0) AS analytes_measured_730
FROM everyone
LEFT JOIN (SELECT p, count(comparator) AS n_bounds FROM latest GROUP BY p) USING (p)
LEFT JOIN (
    SELECT p, count(DISTINCT analyte_no) AS n_measured FROM measured WHERE day >= getvariable('d') - 730 GROUP BY p
) USING (p)
WHERE lab;
