"""Numbers and names as the tables show them."""

import math

import pytest

from galactions.report.local_density import density_rows
from galactions.report.numbers import count, number, plural, with_error
from galactions.report.parameter_names import meaning
from galactions.report.style import interval
from galactions.report.typeset import typeset


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (63.99, "63.99"),
        (8.95e8, "8.95 × 10⁸"),
        (0.0, "0"),
        (-12.0, "−12"),
        (2e-5, "2 × 10⁻⁵"),
        (1e12, "10¹²"),
        (-1.23456e7, "−1.235 × 10⁷"),
        (12521.4, "12521"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "error", "texts"),
    [
        (63.9912, 0.8234, ("63.99", "0.82")),
        (132.99, 12.3, ("133", "12")),
        (0.01234, 0.00056, ("0.01234", "0.00056")),
        (8.95e8, 1.2e7, ("8.95 × 10⁸", "0.12 × 10⁸")),
        (1.14079e7, 2.74e6, ("1.14 × 10⁷", "0.27 × 10⁷")),
        (2.0e-5, 3.0e-4, ("0.2 × 10⁻⁴", "3.0 × 10⁻⁴")),
        (5.0, math.nan, ("5", "–")),
    ],
)
def test_with_error(value, error, texts):
    assert with_error(value, error) == texts


def test_counts():
    assert count(86109) == "86\u202f109"
    assert [plural(1, "region"), plural(17, "region")] == ["1 region", "17 regions"]


def test_intervals_never_hide_a_minus_in_a_dash():
    assert interval(160, 170) == "160–170"
    assert interval(-20, -10) == "−20 to −10"
    assert interval(-10, 0) == "−10 to 0"


def test_signs_of_the_field_are_typeset_and_all_else_is_escaped():
    assert typeset("10¹² M☉ & <M200>") == "10¹² M<sub>☉</sub> &amp; &lt;M<sub>200</sub>&gt;"
    assert typeset("chi2 is 3: see chi2.csv") == "χ² is 3: see chi2.csv"


@pytest.mark.parametrize(
    ("name", "words", "unit"),
    [
        ("sigma_r0_thin", "thin disc: radial velocity dispersion at R = 0", "km/s"),
        ("R_sigma_thick", "thick disc: scale length of the dispersions", "kpc"),
        ("R_d_thin", "thin disc: scale length", "kpc"),
        ("R_d_thin_df", "thin disc, distribution function: scale length", "kpc"),
        ("r0_halo", "dark halo: scale radius", "kpc"),
        ("rho0_halo", "dark halo: density scale", "M☉/kpc³"),
        ("d_sun", "distance of the Sun from the Galactic centre", "kpc"),
        ("nonsense", "", ""),
    ],
)
def test_meaning_of_parameters(name, words, unit):
    assert meaning(name) == (words, unit)


def test_densities_add_up_and_are_compared_with_the_paper():
    model = {"thin_disk": 0.066, "thick_disk": 0.004, "bulge": 1e-9, "halo": 0.011}
    rows = {row.component: row for row in density_rows(model, {"thin_disk": 0.06, "thick_disk": 0.004})}
    assert set(rows) == {"thin disc", "thick disc", "dark halo", "both stellar discs", "all components"}
    assert rows["both stellar discs"].model == pytest.approx(0.07)
    assert rows["both stellar discs"].paper == pytest.approx(0.064)
    assert rows["all components"].model == pytest.approx(sum(model.values()))
    assert rows["thin disc"].difference_percent == pytest.approx(10.0)
    assert rows["dark halo"].difference_percent is None
