"""The potential in galpy: values, rotation curve, orbits and actions."""

import numpy as np
import pytest

from galactions.actions.fudge import fudge_actions
from galactions.interop import to_galpy
from galactions.potential.field import Potential

galpy = pytest.importorskip("galpy.potential", reason="needs galpy: pip install galactions[interop]")

RADII = np.array([1.0, 4.0, 8.11, 15.0, 40.0])
RO, VO = 8.0, 220.0


@pytest.fixture(scope="module")
def potential(initial):
    return to_galpy(initial, ro=RO, vo=VO)


def test_values_and_forces(initial, potential):
    R, z = RADII, 0.4
    ours = initial.potential(R, z), *initial.force(R, z)
    theirs = (
        galpy.evaluatePotentials(potential, R / RO, z / RO, use_physical=False) * VO**2,
        galpy.evaluateRforces(potential, R / RO, z / RO, use_physical=False) * VO**2 / RO,
        galpy.evaluatezforces(potential, R / RO, z / RO, use_physical=False) * VO**2 / RO,
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-10)


def test_rotation_curve(initial, potential):
    theirs = [potential.vcirc(R / RO, use_physical=False) * VO for R in RADII]
    np.testing.assert_allclose(theirs, initial.circular_velocity(RADII), rtol=1e-10)


def test_units_of_the_galaxy_are_the_default(initial):
    d_sun = initial.spec.parameters["d_sun"]
    potential = to_galpy(initial)
    assert potential.vcirc(1.0, use_physical=False) == pytest.approx(1.0, rel=1e-10)
    assert potential.vcirc(1.0) == pytest.approx(float(initial.circular_velocity(d_sun)), rel=1e-10)


def test_epicycle_frequencies(initial, potential):
    kappa, _, omega = initial.frequencies(RADII)
    theirs = [potential.epifreq(R / RO, use_physical=False) * VO / RO for R in RADII]
    np.testing.assert_allclose(theirs, kappa, rtol=1e-8)
    theirs = [potential.omegac(R / RO, use_physical=False) * VO / RO for R in RADII]
    np.testing.assert_allclose(theirs, omega, rtol=1e-8)


def test_density(initial, potential):
    theirs = potential.dens(8.0 / RO, 0.2 / RO, use_physical=True)
    ours = sum(float(initial.density(name, 8.0, 0.2)) for name in initial.components)
    assert theirs == pytest.approx(1e-9 * ours, rel=1e-6)


@pytest.mark.filterwarnings("ignore:libgalpy:Warning")  # galpy warns where its C extension is not installed
def test_staeckel_actions_at_the_same_focal_distance(initial, potential):
    """J_z agrees everywhere, J_r in the midplane: galpy follows the radial motion along the midplane, we
    along the hyperbola through the star; off the midplane these differ (1.5% for the first star, z = 0.3).
    """
    from galpy.actionAngle import actionAngleStaeckel

    delta = 3.0
    finder = actionAngleStaeckel(pot=potential, delta=delta / RO, c=False)
    total: Potential = initial.total_potential
    for R, z, v_R, v_z, v_phi in [(8.0, 0.3, 30.0, 20.0, 210.0), (5.0, 0.0, -60.0, 40.0, 180.0)]:
        coordinates = R / RO, v_R / VO, v_phi / VO, z / RO, v_z / VO
        theirs = [float(np.atleast_1d(J)[0]) * RO * VO for J in finder(*coordinates, use_physical=False)]
        star = (np.atleast_1d(value) for value in (R, z, v_R, v_z, R * v_phi, delta**2))
        J_r, J_z = (float(J[0]) for J in fudge_actions(total, total.gradient, *star, nodes=100))
        assert theirs[1] == pytest.approx(R * v_phi, rel=1e-12)
        assert theirs[2] == pytest.approx(J_z, rel=1e-6)
        if z == 0:
            assert theirs[0] == pytest.approx(J_r, rel=1e-6)
