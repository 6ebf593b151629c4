-- Spells as known at t, clipped to the days before it.
CREATE OR REPLACE TEMP TABLE spells AS
SELECT
    p,
    kind = 'doctor_certified' AS by_doctor,
    if(by_doctor, coalesce(diagnoses.kind_of_diagnosis, 'other_diagnosis'), NULL) AS chapter,
    grade_percent::INTEGER AS grade,
    day_of(first_day) AS first,
    least(coalesce(day_of(last_day), getvariable('d') - 1), getvariable('d') - 1) AS last,
    coalesce(last_day >= getvariable('t'), true) AS is_running
FROM (
    SELECT p, absence_spells.*
    FROM absence_spells JOIN everyone USING (person_id)
    WHERE known_from < getvariable('t') AND everyone.absence
    QUALIFY row_number() OVER (PARTITION BY p, spell_id ORDER BY known_from DESC) = 1
) AS latest
LEFT JOIN diagnoses
    ON latest.diagnosis = diagnoses.diagnosis
    AND coalesce(latest.diagnosis_system, 'ICPC-2') = diagnoses.diagnosis_system
WHERE is_deleted = 0 AND first_day < getvariable('t');

-- Between two neighbouring ends of spells nothing changes: what covers each such piece.
CREATE OR REPLACE TEMP TABLE pieces AS
WITH cuts AS (
    SELECT p, unnest([first, last + 1]) AS cut FROM spells
),
gaps AS (
    SELECT p, cut AS first, lead(cut) OVER (PARTITION BY p ORDER BY cut) - 1 AS last
    FROM (SELECT DISTINCT p, cut FROM cuts)
)
SELECT
    p,
    gaps.first,
    gaps.last,
    max(grade) FILTER (by_doctor) AS grade,
    list_distinct(list(chapter)) AS chapters
FROM gaps JOIN spells USING (p)
WHERE spells.first <= gaps.first AND gaps.last <= spells.last
GROUP BY p, gaps.first, gaps.last;

-- Neighbouring pieces of one kind are one stretch.
CREATE OR REPLACE TEMP TABLE stretches AS
WITH of_kind AS (
    SELECT p, unnest(['any', if(grade IS NULL, 'self', 'doctor')] || chapters) AS kind, first, last FROM pieces
),
numbered AS (
    SELECT *, first - 1 IS DISTINCT FROM lag(last) OVER (PARTITION BY p, kind ORDER BY first) AS opens
    FROM of_kind
),
grouped AS (
    SELECT *, count(*) FILTER (opens) OVER (PARTITION BY p, kind ORDER BY first) AS stretch FROM numbered
)
SELECT p, kind, min(first) AS first, max(last) AS last FROM grouped GROUP BY p, kind, stretch;

CREATE OR REPLACE TEMP TABLE absence_of_kind AS
SELECT
    p,
    kind,
    sum(days_in(first, last, 30)) AS days_30,
    sum(days_in(first, last, 90)) AS days_90,
    sum(days_in(first, last, 180)) AS days_180,
    sum(days_in(first, last, 365)) AS days_365,
    sum(days_in(first, last, 730)) AS days_730,
    days_365 - sum(days_in(first, last, 275)) AS days_same_season,
    count_if(first >= getvariable('d') - 90) AS starts_90,
    count_if(first >= getvariable('d') - 365) AS starts_365,
    count_if(first >= getvariable('d') - 730) AS starts_730,
    max(days_in(first, last, 365)) AS longest_365,
    max(days_in(first, last, 730)) AS longest_730,
    count_if(last >= getvariable('d') - 365) AS reaching_365,
    getvariable('d') - max(last) AS since,
    max(getvariable('d') - first) FILTER (last = getvariable('d') - 1) AS so_far
FROM stretches
GROUP BY p, kind;

CREATE OR REPLACE TEMP TABLE absence_rest AS
SELECT *
FROM (
    SELECT
        p,
        max(by_doctor AND is_running)::INTEGER AS running_doctor,
        max(NOT by_doctor AND is_running)::INTEGER AS running_self,
        max(grade) FILTER (by_doctor AND is_running) AS running_grade
    FROM spells GROUP BY p
)
LEFT JOIN (
    SELECT
        p,
        sum(grade * days_in(first, last, 365)) / 100 AS weighted_days_doctor_365,
        sum(grade * days_in(first, last, 730)) / 100 AS weighted_days_doctor_730
    FROM pieces WHERE grade IS NOT NULL GROUP BY p
) USING (p)
LEFT JOIN (
    SELECT p, arg_max(gap, first) AS gap_last_doctor, avg(gap) FILTER (first >= getvariable('d') - 730) AS gap_mean_doctor_730
    FROM (
        SELECT p, first, first - lag(last) OVER (PARTITION BY p ORDER BY first) - 1 AS gap
        FROM stretches WHERE kind = 'doctor'
    )
    GROUP BY p
) USING (p);

CREATE OR REPLACE TEMP TABLE absence_history AS
SELECT
    everyone.p,
    coalesce(doctor.days_30, 0) AS days_doctor_30,
    coalesce(doctor.days_90, 0) AS days_doctor_90,
    coalesce(doctor.days_180, 0) AS days_doctor_180,
    coalesce(doctor.days_365, 0) AS days_doctor_365,
    coalesce(doctor.days_730, 0) AS days_doctor_730,
    coalesce(weighted_days_doctor_365, 0) AS weighted_days_doctor_365,
    coalesce(weighted_days_doctor_730, 0) AS weighted_days_doctor_730,
    coalesce(doctor.starts_90, 0) AS starts_doctor_90,
    coalesce(doctor.starts_365, 0) AS starts_doctor_365,
    coalesce(doctor.starts_730, 0) AS starts_doctor_730,
    coalesce(doctor.longest_365, 0) AS longest_doctor_365,
    coalesce(doctor.longest_730, 0) AS longest_doctor_730,
    coalesce(self.days_90, 0) AS days_self_90,
    coalesce(self.days_365, 0) AS days_self_365,
    coalesce(self.days_730, 0) AS days_self_730,
    coalesce(self.starts_90, 0) AS starts_self_90,
    coalesce(self.starts_365, 0) AS starts_self_365,
    coalesce(self.starts_730, 0) AS starts_self_730,
    coalesce(self.longest_365, 0) AS longest_self_365,
    coalesce(mental.days_365, 0) AS days_mental_365,
    coalesce(mental.days_730, 0) AS days_mental_730,
    coalesce(mental.starts_365, 0) AS starts_mental_365,
    coalesce(mental.starts_730, 0) AS starts_mental_730,
    coalesce(mental.longest_730, 0) AS longest_mental_730,
    coalesce(musculoskeletal.days_365, 0) AS days_musculoskeletal_365,
    coalesce(musculoskeletal.days_730, 0) AS days_musculoskeletal_730,
    coalesce(musculoskeletal.starts_365, 0) AS starts_musculoskeletal_365,
    coalesce(musculoskeletal.starts_730, 0) AS starts_musculoskeletal_730,
    coalesce(musculoskeletal.longest_730, 0) AS longest_musculoskeletal_730,
    coalesce(respiratory.days_365, 0) AS days_respiratory_365,
    coalesce(respiratory.days_730, 0) AS days_respiratory_730,
    coalesce(respiratory.starts_365, 0) AS starts_respiratory_365,
    coalesce(respiratory.starts_730, 0) AS starts_respiratory_730,
    coalesce(respiratory.longest_730, 0) AS longest_respiratory_730,
    coalesce(other.days_365, 0) AS days_other_diagnosis_365,
    coalesce(other.days_730, 0) AS days_other_diagnosis_730,
    coalesce(other.starts_365, 0) AS starts_other_diagnosis_365,
    coalesce(other.starts_730, 0) AS starts_other_diagnosis_730,
    coalesce(other.longest_730, 0) AS longest_other_diagnosis_730,
    doctor.since AS days_since_doctor,
    self.since AS days_since_self,
    mental.since AS days_since_mental,
    musculoskeletal.since AS days_since_musculoskeletal,
    respiratory.since AS days_since_respiratory,
    other.since AS days_since_other_diagnosis,
    coalesce(anything.days_365, 0) AS days_any_365,
    coalesce(anything.starts_365, 0) AS starts_any_365,
    coalesce(rest.running_doctor, 0) AS running_doctor,
    coalesce(rest.running_self, 0) AS running_self,
    if(rest.running_doctor = 1, doctor.so_far, 0) AS running_days_doctor,
    coalesce(rest.running_grade, 0) AS running_grade,
    coalesce(anything.reaching_365 ** 2 * anything.days_365, 0) AS bradford_365,
    2 * days_doctor_365 - days_doctor_730 AS trend_days_doctor,
    2 * days_self_365 - days_self_730 AS trend_days_self,
    rest.gap_last_doctor,
    rest.gap_mean_doctor_730,
    least(days_self_365 / 24, 1) AS quota_days_used_365,
    least(starts_self_365 / 4, 1) AS quota_times_used_365,
    coalesce(anything.days_same_season, 0) AS days_any_same_season
FROM everyone
LEFT JOIN absence_rest AS rest ON rest.p = everyone.p
LEFT JOIN absence_of_kind AS doctor ON doctor.p = everyone.p AND doctor.kind = 'doctor'
LEFT JOIN absence_of_kind AS self ON self.p = everyone.p AND self.kind = 'self'
LEFT JOIN absence_of_kind AS mental ON mental.p = everyone.p AND mental.kind = 'mental'
LEFT JOIN absence_of_kind AS musculoskeletal ON musculoskeletal.p = everyone.p AND musculoskeletal.kind = 'musculoskeletal'
LEFT JOIN absence_of_kind AS respiratory ON respiratory.p = everyone.p AND respiratory.kind = 'respiratory'
LEFT JOIN absence_of_kind AS other ON other.p = everyone.p AND other.kind = 'other_diagnosis'
LEFT JOIN absence_of_kind AS anything ON anything.p = everyone.p AND anything.kind = 'any'
WHERE everyone.absence;
