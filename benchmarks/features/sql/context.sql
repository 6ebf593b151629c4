-- The others at the workplace: totals without the person's own part, of ten others at least.
CREATE OR REPLACE TEMP TABLE totals AS
SELECT
    company_id,
    if(grouping(unit_id) = 0, unit_id, NULL) AS unit_id,
    grouping(unit_id) = 0 AS is_unit,
    sum(own_persons) AS persons,
    count(own_days_doctor_365) AS n_days_doctor_365,
    sum(own_days_doctor_365) AS days_doctor_365,
    count(own_cbi_work) AS n_cbi_work,
    sum(own_cbi_work) AS cbi_work,
    count(own_who5_wellbeing) AS n_who5_wellbeing,
    sum(own_who5_wellbeing) AS who5_wellbeing,
    count(own_was_work_ability) AS n_was_work_ability,
    sum(own_was_work_ability) AS was_work_ability,
    count(own_shc_musculoskeletal) AS n_shc_musculoskeletal,
    sum(own_shc_musculoskeletal) AS shc_musculoskeletal
FROM numbered
WHERE company_id IS NOT NULL
GROUP BY GROUPING SETS ((company_id), (company_id, unit_id));

CREATE OR REPLACE MACRO mean_of_others(total, n, own, one) AS
    if(n - if(own IS NULL, 0, 1) >= 10, (total - coalesce(own, 0)) / one / (n - if(own IS NULL, 0, 1)), NULL);

CREATE OR REPLACE TEMP VIEW finished AS
SELECT
    numbered.* EXCLUDE (company_id, unit_id, absence, survey, own_persons, own_days_doctor_365, own_cbi_work, own_who5_wellbeing,
                        own_was_work_ability, own_shc_musculoskeletal),
    if(absence, mean_of_others(c.days_doctor_365, c.n_days_doctor_365, own_days_doctor_365, 1::DOUBLE), NULL)::FLOAT
        AS company_days_doctor_365,
    if(survey, mean_of_others(c.cbi_work, c.n_cbi_work, own_cbi_work, 1048576::DOUBLE), NULL)::FLOAT AS company_cbi_work,
    if(survey, mean_of_others(c.who5_wellbeing, c.n_who5_wellbeing, own_who5_wellbeing, 1048576::DOUBLE), NULL)::FLOAT
        AS company_who5_wellbeing,
    if(survey, mean_of_others(c.was_work_ability, c.n_was_work_ability, own_was_work_ability, 1048576::DOUBLE), NULL)::FLOAT
        AS company_was_work_ability,
    if(survey, mean_of_others(c.shc_musculoskeletal, c.n_shc_musculoskeletal, own_shc_musculoskeletal, 1048576::DOUBLE),
       NULL)::FLOAT AS company_shc_musculoskeletal,
    if(absence, mean_of_others(u.days_doctor_365, u.n_days_doctor_365, own_days_doctor_365, 1::DOUBLE), NULL)::FLOAT
        AS unit_days_doctor_365,
    if(survey, mean_of_others(u.cbi_work, u.n_cbi_work, own_cbi_work, 1048576::DOUBLE), NULL)::FLOAT AS unit_cbi_work,
    if(survey, mean_of_others(u.who5_wellbeing, u.n_who5_wellbeing, own_who5_wellbeing, 1048576::DOUBLE), NULL)::FLOAT
        AS unit_who5_wellbeing,
    if(survey, mean_of_others(u.was_work_ability, u.n_was_work_ability, own_was_work_ability, 1048576::DOUBLE), NULL)::FLOAT
        AS unit_was_work_ability,
    if(survey, mean_of_others(u.shc_musculoskeletal, u.n_shc_musculoskeletal, own_shc_musculoskeletal, 1048576::DOUBLE),
       NULL)::FLOAT AS unit_shc_musculoskeletal,
    if(c.persons - 1 >= 10, c.persons - 1, NULL)::FLOAT AS company_persons
FROM numbered
LEFT JOIN totals AS c ON c.company_id = numbered.company_id AND NOT c.is_unit
LEFT JOIN totals AS u ON u.company_id = numbered.company_id AND u.is_unit AND u.unit_id = numbered.unit_id;
