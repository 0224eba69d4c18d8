"""Free parameters: names, bounds, and the coordinates of the optimisers."""

import numpy as np
import pytest

from galactions.errors import ConfigError
from galactions.inference import DF_PARAMETERS, FreeParameter, FreeParameters, free_parameters

MODEL = dict.fromkeys(DF_PARAMETERS, 30.0) | {"d_sun": 8.1, "h_HI": -0.085, "q_halo": 0.9}


@pytest.mark.parametrize(
    ("names", "bounds", "message"),
    [
        (
            ["sigma_r0_thn"],
            {},
            r"fit.free: unknown name 'sigma_r0_thn'; did you mean 'sigma_r0_thin'.*allowed: sigma_r0",
        ),
        (["Quux"], {}, "unknown name 'Quux'; allowed"),
        ([], {}, "found no names"),
        (["d_sun", "d_sun"], {}, "'d_sun' is given twice"),
        (["d_sun"], {"d_sum": (7, 9)}, r"fit.bounds: unknown name 'd_sum'; did you mean 'd_sun'"),
        (["d_sun"], {"d_sun": (9, 7)}, r"found \[9, 7\]; allowed: \[lower, upper\]"),
        (["d_sun"], {"d_sun": (8.5, 9)}, r"the start 8.1 lies outside \[8.5, 9\]"),
        (["sigma_r0_thin"], {"sigma_r0_thin": (float("nan"), 9)}, "found"),
        (["h_HI"], {}, r"the start -0.085 lies outside \[0.02, 5\]"),
    ],
)
def test_what_cannot_be_fitted_is_said(names, bounds, message):
    with pytest.raises(ConfigError, match=message):
        free_parameters(names, MODEL, bounds)


def test_a_negative_scale_is_refused_at_the_start():
    with pytest.raises(ConfigError, match=r"the start -3 lies outside \[2, 500\]"):
        free_parameters(["sigma_r0_thin"], {**MODEL, "sigma_r0_thin": -3.0})


def test_scales_are_positive_by_default():
    free = free_parameters([*DF_PARAMETERS, "d_sun", "q_halo"], MODEL)
    assert np.all(free.lower >= 0)
    assert np.all(free.lower <= free.start)
    assert np.all(free.start <= free.upper)


ENDS = [(1.0, 9.0), (0.0, np.inf), (-np.inf, 4.0), (-np.inf, np.inf)]


@pytest.mark.parametrize("ends", ENDS)
def test_unbounded_coordinates_invert_and_never_leave_the_bounds(ends):
    free = FreeParameters((FreeParameter("x", 2.0, *ends),))
    for value in (1.001, 2.0, 3.9):
        there = free.to_unbounded(np.array([value]))
        assert free.from_unbounded(there) == pytest.approx(value, rel=1e-12)
    for far in (-1e9, -50.0, 50.0, 1e9):
        value = free.from_unbounded(np.array([far]))[0]
        assert ends[0] <= value <= ends[1]
        assert np.isfinite(value)


def test_names_on_a_bound_are_found():
    free = free_parameters(["d_sun", "sigma_r0_thin"], MODEL, {"d_sun": (7.0, 9.0)})
    assert free.at_bounds(np.array([9.0, 30.0])) == ("d_sun",)
    assert free.at_bounds(np.array([8.0, 30.0])) == ()


def test_a_start_on_its_bound_is_moved_inside():
    free = free_parameters(["d_sun"], MODEL, {"d_sun": (8.1, 9.0)})
    assert free.lower[0] < free.start[0] < free.upper[0]
    assert np.isfinite(free.to_unbounded(free.start)).all()
