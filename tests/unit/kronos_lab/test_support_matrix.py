"""The support matrix is what was recorded, row by row."""

import json

from kronos_lab import support_matrix
from kronos_lab.docs_tasks import SUPPORT
from kronos_lab.rows import ROWS


def test_the_page_is_as_made_from_the_recorded_results():
    assert SUPPORT.read_text() == support_matrix.made_support_matrix()


def test_only_rows_that_there_are_have_results():
    assert set(support_matrix.recorded()) <= set(ROWS)


def test_a_fresh_result_replaces_the_recorded_one_of_its_row_only(tmp_path, monkeypatch):
    monkeypatch.setattr(support_matrix, "RECORDED", tmp_path / "recorded.json")
    monkeypatch.setattr(support_matrix, "FRESH", tmp_path)
    (tmp_path / "recorded.json").write_text(json.dumps({"debian-12-dhcp": {"row": "x"}}))
    fresh = {"row": "debian-12-static", "outcome": "failed", "times": {"before": 3.0}, "date": "2026-01-01"}
    (tmp_path / "fresh").mkdir()
    monkeypatch.setattr(support_matrix, "FRESH", tmp_path / "fresh")
    (tmp_path / "fresh/debian-12-static.json").write_text(json.dumps(fresh))
    assert support_matrix.record() == ["debian-12-static"]
    assert support_matrix.recorded() == {"debian-12-dhcp": {"row": "x"}, "debian-12-static": fresh}


def test_a_row_walked_with_one_host_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(support_matrix, "RECORDED", tmp_path / "recorded.json")
    one = {"outcome": "passed", "times": {"before": 3.0}, "date": "2026-01-01"}
    two = {"outcome": "passed", "times": {"second host joins": 300.4}, "date": "2026-01-01"}
    failed = {"outcome": "failed", "times": {"before": 3.0}, "date": "2026-01-01"}
    rows = {"debian-12-dhcp": one, "debian-12-static": two, "debian-12-uefi": failed}
    (tmp_path / "recorded.json").write_text(json.dumps(rows))
    page = support_matrix.made_support_matrix().splitlines()
    column = next(line for line in page if line.startswith("| row |")).split("|").index(" second host ")
    said = {
        name: line.split("|")[column].strip()
        for name in rows
        for line in page
        if line.startswith(f"| {name} |")
    }
    assert said == {"debian-12-dhcp": "without", "debian-12-static": "300 s", "debian-12-uefi": "-"}
