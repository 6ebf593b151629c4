-- Once per run: macros, and the declarations with numbers in place of names, so that large tables join on small integers.
SET VARIABLE d = (getvariable('t') - DATE '1970-01-01')::INTEGER;

CREATE OR REPLACE MACRO day_of(date) AS (date - DATE '1970-01-01')::INTEGER;
-- Days of first..last in the last `length` days before t.
CREATE OR REPLACE MACRO days_in(first, last, length) AS
    greatest(0, last + 1 - greatest(first, getvariable('d') - length))::INTEGER;
-- Least squares of three values, x in days from the latest, x1 = 0.
CREATE OR REPLACE MACRO slope_per_year(x2, x3, y1, y2, y3) AS
    (3.0::DOUBLE * (x2 * (y2 - y1) + x3 * (y3 - y1)) - (x2 + x3)::DOUBLE * ((y2 - y1) + (y3 - y1)))
    / (3.0::DOUBLE * (x2 * x2 + x3 * x3) - (x2 + x3)::DOUBLE * (x2 + x3)) * 365.25::DOUBLE;

CREATE TEMP TABLE instruments AS
SELECT row_number() OVER ()::UTINYINT AS instrument_no, instrument, any_value(n_items) AS n_items
FROM declared.items GROUP BY instrument;

CREATE TEMP TABLE items AS
SELECT row_number() OVER ()::USMALLINT AS item_no, instrument, item, instrument_no
FROM declared.items JOIN instruments USING (instrument);

CREATE TEMP TABLE scales AS
SELECT row_number() OVER ()::UTINYINT AS scale_no, * FROM declared.scales;

CREATE TEMP TABLE scale_items AS
SELECT
    item_no, scale_no, coalesce(mirror, 0)::DOUBLE AS base, if(mirror IS NULL, 1, -1)::DOUBLE AS sign
FROM declared.scale_items
JOIN items USING (instrument, item)
JOIN scales USING (scale)
WHERE method IN ('mean', 'sum');

CREATE TEMP TABLE criteria AS
SELECT item_no, scale, part, threshold FROM declared.criteria JOIN items USING (instrument, item);

CREATE TEMP TABLE analytes AS
SELECT row_number() OVER ()::UTINYINT AS analyte_no, * FROM declared.analytes;

CREATE TEMP TABLE codes AS
SELECT
    code_system, code, unit, analyte_no, factor, "offset",
    dense_rank() OVER (ORDER BY code_system, code)::UTINYINT AS code_no,
    dense_rank() OVER (ORDER BY code)::UTINYINT AS code_rank
FROM declared.codes JOIN analytes USING (analyte);

CREATE TEMP TABLE limits AS
SELECT
    analyte_no, is_female, age, low, high, low::FLOAT AS low_single, high::FLOAT AS high_single,
    low_inside::FLOAT AS low_inside, high_inside::FLOAT AS high_inside
FROM declared.limits JOIN analytes USING (analyte);

CREATE TEMP TABLE diagnoses AS
SELECT diagnosis, coalesce(diagnosis_system, 'ICPC-2') AS diagnosis_system, kind AS kind_of_diagnosis FROM declared.diagnoses;

CREATE OR REPLACE MACRO year_of(day) AS year(DATE '1970-01-01' + day);

-- Features that are computed as rows, one per person and feature, before they become columns.
CREATE TEMP TABLE names AS
SELECT feature, row_number() OVER ()::USMALLINT AS feature_no
FROM (SELECT unnest(features) AS feature FROM read_json(getvariable('facts')));
