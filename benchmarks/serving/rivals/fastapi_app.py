"""The usual way: FastAPI around pandas and SHAP. ``BENCH_FOLDER`` names the folder of the models."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.serving.rivals.usual import Usual

WORK = Usual(Path(os.environ["BENCH_FOLDER"]))
app = FastAPI()


class Request(BaseModel):
    """A record, the outcomes and the day."""

    index_date: str
    outcomes: list[str]
    record: dict[str, Any]


@app.post("/v1/risk")
def risk(request: Request) -> dict[str, Any]:
    """Risk of each outcome, with the strongest reasons."""
    return WORK.answer(request.model_dump())


@app.get("/ping")
def ping() -> str:
    """Say that it lives."""
    return "ok"
