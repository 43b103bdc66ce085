"""The page on operations says what each check of `crossover doctor` looks at."""

import re

from crossover.doctor.account import CREDENTIALS, REGION
from crossover.doctor.checks import CHECKS
from tests.docs.pages import ROOT


def test_the_table_has_each_check_once() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    [rows] = re.findall(r"^\| check \| looks at \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    names = [name for row in rows.splitlines() for name in row.split("|")[1].strip().split(", ")]

    assert sorted(names) == sorted([CREDENTIALS, REGION, *(check.name for check in CHECKS)])
