"""A questionnaire with one row per respondent and one column per question, spread to one row per answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_contracts.tables import Coded
from data_contracts.validation import RawTable


@dataclass(frozen=True)
class Spread:
    """Answers in rows, in the order of respondents and then of questions; a question without an answer has no row.

    Parameters
    ----------
    raw : RawTable
        Columns of survey_answers.
    respondents : int array, shape (n_answers,)
        Position of the row that each answer came from.
    questions : Coded, shape (n_answers,)
        Name of the column that each answer came from.
    """

    raw: RawTable
    respondents: np.ndarray
    questions: Coded

    def rows_of(self, respondents: np.ndarray, question: str | None = None) -> np.ndarray:
        """Return the positions of the answers of some respondents, to one question or to all."""
        is_theirs = np.isin(self.respondents, respondents)
        if question is not None:
            is_theirs &= self.questions.codes == self.questions.vocabulary.index(question)
        return np.flatnonzero(is_theirs)


def spread(shared: RawTable, answers: dict[str, Coded], targets: dict[str, str]) -> Spread:
    """Spread the questions over rows.

    Parameters
    ----------
    shared : RawTable
        Columns that hold for all answers of a respondent.
    answers : dict of str to Coded, shape (n_respondents,)
        Per question (the column's name) the answers.
    targets : dict of str to str
        Per question what it is here, such as ``cbi.personal_1``.
    """
    words: dict[str, int] = {}
    codes = np.stack([_in_common_words(column, words) for column in answers.values()], axis=1)
    respondents, question = np.nonzero(codes >= 0)
    names = [targets[name].partition(".") for name in answers]
    raw = {name: column[respondents] for name, column in shared.items()}
    raw["instrument"] = Coded.from_texts([instrument for instrument, _, _ in names])[question]
    raw["item"] = Coded.from_texts([item for _, _, item in names])[question]
    raw["answer"] = Coded(codes[respondents, question], tuple(words))
    return Spread(raw, respondents, Coded(question.astype(np.int32), tuple(answers)))


def _in_common_words(column: Coded, words: dict[str, int]) -> np.ndarray:
    places = [-1 if word == "" else words.setdefault(word, len(words)) for word in column.vocabulary]
    return np.array([*places, -1], dtype=np.int32)[column.codes]
