"""The published numbers in the package against their copies in the folder `shared`."""

import csv

import numpy as np
import pytest

from galactions.data.published import circular_velocity_curves, paper_result

FILES = {
    "Eilers+2019": "eilers2019_table1",
    "Ablimit+2020": "ablimit2020_3d",
    "Wang+2023": "wang2023_gaiadr3",
    "Zhou+2023": "zhou2023",
    "Jiao+2023": "jiao2023",
    "Põder+2023": "poder2023",
    "Ou+2024": "ou2024",
}


def test_all_curves_are_there():
    assert [curve.name for curve in circular_velocity_curves()] == list(FILES)


@pytest.mark.parametrize("curve", circular_velocity_curves(), ids=lambda curve: curve.name)
def test_curve_is_sound(curve):
    assert (
        curve.R.shape
        == curve.v_c.shape
        == curve.err_minus.shape
        == curve.err_plus.shape
        == curve.reliable.shape
    )
    assert np.all(np.diff(curve.R) > 0)
    assert np.all((curve.v_c > 150) & (curve.v_c < 260))
    assert np.all((curve.err_minus > 0) & (curve.err_plus > 0))
    assert curve.reference
    assert curve.tracers


@pytest.mark.parametrize("curve", circular_velocity_curves(), ids=lambda curve: curve.name)
def test_curve_is_the_published_one(curve, shared):
    from astropy.table import Table

    table = Table.read(shared / "data/vc_curves" / f"{FILES[curve.name]}.ecsv")
    both = "err" in table.colnames
    np.testing.assert_array_equal(curve.R, table["R"])
    np.testing.assert_array_equal(curve.v_c, table["vc"])
    np.testing.assert_array_equal(curve.err_minus, table["err" if both else "err_minus"])
    np.testing.assert_array_equal(curve.err_plus, table["err" if both else "err_plus"])


def test_the_one_error_that_looks_like_a_misprint_is_marked():
    doubtful = [(c.name, R) for c in circular_velocity_curves() for R in c.R[~c.reliable]]
    assert doubtful == [("Ablimit+2020", 17.04)]
    assert all(np.all(c.err_plus[c.reliable] > 0.1) for c in circular_velocity_curves())


@pytest.mark.parametrize("model", ["Mc17a", "Ca20d", "Ca20e"])
def test_densities_of_the_paper_are_those_of_table_4(model, shared):
    with (shared / "paper/table4_local_density_msun_pc3.csv").open() as stream:
        densities = next(row for row in csv.DictReader(stream) if row["model"] == model)
    names = {
        "thin_disk": "thin_disk",
        "thick_disk": "thick_disk",
        "dark_halo": "halo",
        "HI_disk": "HI",
        "H2_disk": "H2",
    }
    found = paper_result(model)
    assert found is not None
    assert {ours: float(densities[theirs]) for theirs, ours in names.items()} == found.density_sun


def test_results_of_the_paper_are_those_of_table_2(shared):
    with (shared / "paper/table2_models.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 17
    for row in rows:
        found = paper_result(row["model"])
        assert found is not None
        assert float(row["v_circ_sun_kms"]) == found.v_circ_sun
        assert float(row["M200_1e12msun"]) * 1e12 == pytest.approx(found.m200)


def test_models_that_the_paper_leaves_out():
    assert paper_result("Mc17b").density_sun == {}
    assert paper_result("McMillan17") is None
