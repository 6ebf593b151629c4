"""The pictures of the pages in docs/images, from SYNTHETIC persons: taken anew by make screenshots, there in any case."""

from __future__ import annotations

import os
import struct

import pytest

from pipeline.workplace_report import first_page
from serving.company_report import written
from serving.handlers.company_report import report_on
from serving.store import open_store
from tests.browser.deployed import PHONE
from tests.lib.deployment import PROJECT

IMAGES = PROJECT / "docs" / "images"
AT_A_DESK = {
    "worklist": "/ui/worklist?capacity=6&outcome=burnout",
    "person": "/ui/persons/{person}?outcome=burnout",
    "contributions": "/ui/persons/{person}/contributions?outcome=burnout",
    "profile": "/ui/persons/{person}/profile",
    "timeline": "/ui/persons/{person}/timeline",
    "what_if": "/ui/persons/{person}/what-if?outcome=burnout",
    "decisions": "/ui/persons/{person}/decisions",
    "model": "/ui/models/long_sick_leave",
}
ON_A_PHONE = {
    "phone_worklist": "/ui/worklist?capacity=6&outcome=burnout",
    "phone_person": "/ui/persons/{person}?outcome=burnout",
}
WORKPLACE_REPORT = "workplace_report.png"
NAMES = [*(f"page_{name}.png" for name in (*AT_A_DESK, *ON_A_PHONE, "company")), WORKPLACE_REPORT]
MOST_BYTES = 600_000


@pytest.mark.skipif("BALANCE_RISK_SCREENSHOTS" not in os.environ, reason="make screenshots takes the pictures anew")
def test_pictures_of_the_pages(deployed):
    person = deployed.someone(outcome="burnout")
    with deployed.reader(subject="kari", language="nb") as reader:
        reader.sign_in()
        reader.take_into_care(person)
        for name, address in AT_A_DESK.items():
            taken(reader, name, address.format(person=person), {"width": 1100, "height": 1000})
        for name, address in ON_A_PHONE.items():
            taken(reader, name, address.format(person=person), PHONE)
    with deployed.reader("employer", subject="ola", language="nb") as reader:
        reader.sign_in()
        taken(reader, "company", f"/ui/companies/{deployed.companies[0]}", {"width": 1100, "height": 1000})


@pytest.mark.skipif("BALANCE_RISK_SCREENSHOTS" not in os.environ, reason="make screenshots takes the pictures anew")
def test_picture_of_the_workplace_report(deployed):
    report = written(report_on(open_store(f"sqlite:///{deployed.store}"), deployed.companies[0]))
    (IMAGES / WORKPLACE_REPORT).write_bytes(first_page(report["documents"]["nb"], synthetic=True))


def taken(reader, name, address, size):
    reader.page.set_viewport_size(size)
    reader.look(address).screenshot(path=IMAGES / f"page_{name}.png", animations="disabled")


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_there_and_shown_in_a_document(name):
    picture = IMAGES / name
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert struct.unpack(">II", picture.read_bytes()[16:24]) >= (360, 700)
    assert picture.stat().st_size < MOST_BYTES
    documents = [
        PROJECT / "README.md",
        *(PROJECT / "docs" / name for name in ("clinician_page.md", "workplace_report.md")),
    ]
    assert any(name in document.read_text() for document in documents)
