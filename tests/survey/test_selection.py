"""The cuts of section 2 and their cut flow."""

from dataclasses import replace

import numpy as np
import pytest

from galactions.errors import CatalogueError
from galactions.survey import (
    PAPER_SUN,
    CutFlow,
    is_k_giant,
    moves_with_disc,
    select_disc_giants,
    stars_from_phase_space,
)
from galactions.survey.config import Cuts

from .conftest import disc_stars


@pytest.mark.parametrize(
    ("teff", "logg", "expected"),
    [
        (4300, 3.4, True), (4300, 3.5, False), (4300, 3.9, False), (4800, 3.9, True), (4800, 4.0, False),
        (4600, 3.4, True), (4600, 3.9, False), (4000, 1.0, False), (5600, 3.0, False), (3900, 1.0, False),
        (np.nan, 2.0, False), (4800, np.nan, False),
    ],
)  # fmt: skip
def test_k_giants(teff: float, logg: float, expected: bool) -> None:
    assert is_k_giant([teff], [logg]).tolist() == [expected]


def test_velocity_limits() -> None:
    """At (-8, 0, 0): V_R = -v_x, V_phi = -v_y, V_z = v_z."""
    velocities = [
        (0, 230, 0),
        (201, 230, 0),
        (-199, 230, 0),
        (0, 99, 0),
        (0, 351, 0),
        (0, -230, 0),
        (0, 230, 151),
    ]
    xv = np.array([(-8.5, 0.0, 0.0, *v) for v in velocities])
    inside = moves_with_disc(stars_from_phase_space(xv, PAPER_SUN))
    assert inside.tolist() == [True, False, True, False, False, False, False]
    fast = moves_with_disc(stars_from_phase_space(xv, PAPER_SUN), PAPER_SUN, Cuts(v_total_max=229.0))
    assert not fast.any()


def test_cut_flow_of_all_cuts() -> None:
    n = 1000
    rng = np.random.default_rng(0)
    stars = replace(
        disc_stars(n), teff=rng.uniform(3800, 5200, n), logg=rng.uniform(1, 5, n), feh=rng.uniform(-2, 0.4, n)
    )
    kept, flow = select_disc_giants(stars, Cuts(), CutFlow.start(n))
    assert [c.name for c in flow.cuts][1:] == ["K giants", "[Fe/H] > -1", "velocity limits of the disc"]
    assert not any(c.note for c in flow.cuts)
    assert flow.left == len(kept) == n - sum(c.removed for c in flow.cuts)
    assert np.all(is_k_giant(kept.teff, kept.logg))
    assert np.all(np.asarray(kept.feh) > -1)
    assert flow.cuts[1].left == is_k_giant(stars.teff, stars.logg).sum()


def test_default_cuts_without_columns_are_noted() -> None:
    stars = replace(disc_stars(50), pm_ra=None, pm_dec=None)
    kept, flow = select_disc_giants(stars, Cuts(), CutFlow.start(50))
    assert len(kept) == 50
    assert [c.note for c in flow.cuts[1:]] == [
        "not applied: no teff, logg",
        "not applied: no feh",
        "not applied: no pm_ra, pm_dec",
    ]
    assert "not applied: no feh" in str(flow)


@pytest.mark.parametrize("cut", [{"k_giants": True}, {"feh_min": -0.5}, {"disc_velocities": True}])
def test_a_cut_set_by_name_needs_its_columns(cut: dict[str, float]) -> None:
    stars = replace(disc_stars(50), pm_ra=None)
    with pytest.raises(CatalogueError, match=f"cut '{next(iter(cut))}' needs the columns"):
        select_disc_giants(stars, Cuts.model_validate(cut), CutFlow.start(50))


def test_cuts_switched_off_leave_no_trace() -> None:
    off = Cuts(k_giants=False, feh_min=False, disc_velocities=False)
    _, flow = select_disc_giants(disc_stars(5), off, CutFlow.start(5))
    assert len(flow.cuts) == 1


def test_cut_flow_only_removes() -> None:
    flow = CutFlow.start(10).after("a", 4, "why").after("b", 4)
    assert (flow.removed_by("a"), flow.removed_by("b"), flow.left) == (6, 0, 4)
    assert CutFlow.from_list(flow.to_list()) == flow
    with pytest.raises(ValueError, match="leaves 5 of 4"):
        flow.after("c", 5)
    with pytest.raises(KeyError, match="no cut named 'z'"):
        flow.removed_by("z")
