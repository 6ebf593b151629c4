"""The words of the report: titles of its sections, definitions, and what it leaves out."""

from __future__ import annotations

SECTIONS = {
    "absence_by_sex": ("Absence by sex", "Days lost over agreed days, weighted by grade and position."),
    "absence_by_age": (
        "Absence by age",
        "Doctor-certified absence; the published ages are moved to the level of 2023.",
    ),
    "absence_by_industry": ("Absence by industry", "Doctor-certified absence, both sexes as they work there."),
    "season": ("Season", "Days lost in a calendar quarter relative to the mean of the four."),
    "spells": ("Spells", "Doctor-certified unless said otherwise, in calendar days, each from beginning to end."),
    "length_in_quarter": (
        "Days lost by length within the quarter",
        "First quarters; what lies outside the quarter is not seen.",
    ),
    "frequent_absence": ("Frequent absence", "Certified spells in the last three years of the data."),
    "risks": ("Risks of persons", "Persons with a new certified spell of that length, of those employed."),
    "diagnoses": ("Diagnoses", "ICPC-2 chapters of certified spells."),
    "grading": ("Graded absence", "Certified spells with a grade below 100 %."),
    "scales": ("Questionnaires", "As answered, with missing items and straight-lining in."),
    "correlations": ("Correlations and stability", ""),
    "clusters": (
        "Workplaces, consents, ends of employment",
        "ICC: share of the variance that colleagues have in common.",
    ),
    "labs": ("Health checks", "Results as the laboratories sent them, in the analyte's own unit."),
    "response": ("Response", "Questionnaires, counted from each person's first invitation."),
    "effects": ("Burnout and later absence", "Certified and self-certified absence in the third year after an answer."),
    "truth": (
        "The truth and what models reach",
        "Outcome: a sick leave of more than 16 days within a year. Fitted models are trained and judged on persons who "
        "answered a questionnaire within 400 days before the index date, as in published cohorts.",
    ),
}
"""Section of targets.yaml -> title and first sentence."""

INFORMATION = {
    "truth": {
        "auroc.survey_and_history_all_persons": "AUROC of the model on survey and history, whether or not they answered",
        "auroc.truth_on_test": "AUROC of the true risk, in the rows on which the models are judged",
        "auroc.attainable": "AUROC of the best risk that a model could give, in the same rows as far as it is known",
    },
}
"""Section -> id -> what the number is; these have no target."""

DEFINITIONS = (
    "Absence in percent is lost days over agreed days while employed, both times position; a certified day counts by its "
    "grade. Calendar days stand for Monday to Friday: absence and employment both have five working days in seven.",
    "Both sexes together are men and women of the cohort at the country's mix of agreed days (53.3 % men, calculated from "
    "NAV's rates), so that a cohort with other industries is comparable.",
    "A spell counts where it begins while the person is employed, and with its whole length. Days of a chapter are weighted "
    "by grade; shares of days by length are not.",
    "A year's risk is of a new spell in a calendar year, among those employed on its first day. Five-year risks are of those "
    "employed at the beginning, frequent absence of everybody with a spell in the register; who left for a job outside the "
    "cohort is left out, because a register follows them, and who left working life is not.",
    "Season compares quarters by days lost, as published, not by spells begun.",
    "Sub-groups of diagnoses follow from the lists of codes of their chapter: each code of a list is equally likely.",
    "Cronbach's alpha uses complete answers. The ICC is that of a one-way analysis of variance with clusters of unequal size "
    "(Donner and Koval); for the rate of absence within industries, with sex and age taken out.",
    "Laboratory values are those expected at the mean age of the published sample, from a straight line in age; a result "
    "below the limit counts as the limit.",
    "Response is of all who consented and were ever invited; who has left the workplace has not answered. Public sector: "
    "public administration, education, health and social work.",
    "BAT, HSCL-25, COPSOQ and complaints other than musculoskeletal are not in the cohort's own questionnaire. For this check "
    "alone they are asked once, with insomnia and its retest, in the middle of the first year, of who answered that year.",
    "Standard errors of rates are between persons. Those of scales and laboratory values take every sheet and panel as "
    "independent, which makes them a little too small.",
    "Questionnaires, laboratory results and the battery are compared in the first 20 000 persons, and drawn once more for it "
    "by the same rules as the files.",
)

NOT_SHOWN = (
    "Goals and rules are no publications: that they are met says that the simulator is as specified. Many parameters were set "
    "from the publications they are compared with. Agreement shows that the simulator does what it was told, not that "
    "it is right about anything it was not told.",
    "Rates, shares and correlations can all agree while people behind them do not: no single real record was used.",
    "Most sources are for other years, ages or countries than the cohort. Figures marked *recalled* were not checked against "
    "their source, those marked [calc] are worked out from published ones.",
    "Nothing here says how a model does on real people.",
)

NOT_COMPARED = (
    "Other figures of the same level: certified absence of men 4.5 and women 7.8 % (a newspaper's, 4th quarter of 2023, not "
    "adjusted for season), 6.0 % certified and 1.1 % self-certified (2nd quarter of 2024), 6.6 %, men 4.0 and women 7.3 % (2nd "
    "quarter of 2025, kind of absence not stated): another quarter or the same one unadjusted, and the cohort has one level. "
    "Municipal employees, 9.9 % in all: the cohort knows industries, not who owns the employer.",
    "Cases and days by length of the case, Statistics Norway 2010-2011: the row labels of our copy are lost, and its days in "
    "cases up to two weeks (14.0 and 15.9 %) are fewer than the self-certified days of the same quarters alone (16.6 and "
    "16.1 %). The table by length within the quarter is compared instead.",
    "Rising psychological and airway diagnoses 2019-2023: the cohort has one distribution, that of 2023 for the psychological "
    "chapter; the drift is a scenario.",
    "The trial's workplaces: three quarters public, 72-81 % women, two arms and their absence over time. The cohort stands for "
    "working life; the trial is a scenario.",
    "Self-reported against registered days (Spearman .76), consultations with a general practitioner, complaints that hinder "
    "work, work ability and later absence, effect of pay on attendance: the simulator has no such measurement.",
    "Substantial complaints outside the musculoskeletal scale (5, 4, 2, 18 %): where the publication draws the line is not "
    "known to us.",
    "Deadlines of follow-up (4, 7, 8, 26 weeks): they change nothing in the data.",
    "Costs, disability pension and course of treated patients: outside the cohort.",
)

SOURCES = (
    "**SSB**: Statistics Norway, sickness absence (ssb.no/sykefratot): quarterly rates by sex 2023Q4-2024Q3; by industry, "
    "Q1 2021; seasons from table 2011-12-20-03; days lost by length within the quarter, table 122740.",
    "**NAV**: Norwegian Labour and Welfare Administration: rates by sex and age (2nd quarter 2017), days and cases by "
    "diagnosis (3rd quarters 2013 and 2014; Q2 2023 in dagsavisen.no 2023-09-07), length of spells (2017; 2002-2011), graded "
    "absence (Brage et al., 2009), frequent absence 2019-2021 (Arbeid og velferd 2024/1).",
    "**Inclusive-workplace cohort**: doi 10.1186/1745-6673-8-19. **HelseIArbeid**: the trial's report (protocol: JMIR Res "
    "Protoc 2022;11(4):e36166) and the programme's concept report of 2016. **Programme's notes**: worked out for this "
    "programme from the sources named here.",
    "**PUMA**: scales, PubMed 16449044; burnout and later absence, Borritz et al., Occup Environ Med 2006;63:98-106.",
    "**Questionnaires**: OSS-3, BMC Psychol 6:31; SHC, PubMed 10847674 and 11928829; HSCL, PubMed 12745773; BIS, Pallesen et "
    "al. 2008; BAT, theburnoutguide.com and norwegianscitechnews.com 2024/02.",
    "**Health checks**: Tromsø 7, BMJ Open table 204335; HUNT3, BMC Cardiovasc Disord, doi 10.1186/s12872-016-0257-8.",
    "**Response**: SJWEH 3747 (Denmark); Helsinki Health Study; BMJ Open 6/10/e012372 (Sweden).",
)
