"""The potential in galpy: values, rotation curve, orbits and actions."""

import jax.numpy as jnp
import numpy as np
import pytest

from galactions.interop import to_galpy

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


def disc_and_halo_stars(n=10):
    """R, z, v_R, v_z, v_phi of stars from the plane to 6 kpc above it."""
    rng = np.random.default_rng(11)
    return np.stack(
        [
            rng.uniform(2.0, 16.0, n),
            np.append(0.0, np.geomspace(0.05, 6.0, n - 1)) * rng.choice([-1, 1], n),
            rng.normal(0.0, 60.0, n),
            rng.normal(0.0, 50.0, n),
            rng.uniform(60.0, 240.0, n),
        ]
    )


@pytest.fixture(scope="module")
def followed(initial):
    """Stars as above, the focal distance (kpc) that the galaxy has for each, and our direct actions."""
    stars = disc_and_halo_stars()
    R, z, v_R, v_z, v_phi = (jnp.asarray(x) for x in stars)
    E = initial.total_potential(R, z) + 0.5 * (v_R**2 + v_z**2 + v_phi**2)
    delta2 = initial.action_table.frame(R, z, E, R * v_phi).motion.delta2
    xv = np.stack([-R, 0 * R, z, -v_R, v_phi, v_z], axis=1)
    delta = np.sqrt(np.maximum(delta2, 0.0))
    some = delta > 0.1  # galpy has no spherical or oblate coordinates, which ours may be far out
    assert some.sum() >= 8
    return list(zip(stars.T[some], delta[some], np.asarray(initial.actions(xv))[some], strict=True))


@pytest.mark.filterwarnings("ignore:libgalpy:Warning")  # galpy warns where its C extension is not installed
class TestStaeckelActionsAtTheSameFocalDistance:
    """galpy's `actionAngleStaeckel` takes the potential for J_r along the midplane, we along the hyperbola
    through the star (Binney 2012): the two agree where these are the same line.
    """

    def theirs(self, potential, star, delta, **changes):
        from galpy.actionAngle.actionAngleStaeckel import actionAngleStaeckelSingle

        R, z, v_R, v_z, v_phi = star
        coordinates = R / RO, v_R / VO, v_phi / VO, z / RO, v_z / VO
        with np.errstate(all="ignore"):  # its search for turning points begins on the axis
            single = actionAngleStaeckelSingle(*coordinates, pot=potential, delta=delta / RO, **changes)
            return RO * VO * float(single.JR()), RO * VO * float(single.Jz())

    def test_along_the_same_lines(self, potential, followed):
        """galpy led along the hyperbola of each star: both actions, in and off the plane."""
        from galpy.util.coords import Rz_to_uv

        for star, delta, (J_r, J_z, J_phi) in followed:
            v = float(Rz_to_uv(star[0] / RO, star[1] / RO, delta=delta / RO)[1])
            theirs = self.theirs(potential, star, delta, _v0u=v)
            assert theirs == pytest.approx((J_r, J_z), rel=1e-6)
            assert J_phi == pytest.approx(star[0] * star[4], rel=1e-12)

    def test_as_galpy_does_it(self, potential, followed):
        """J_z is the same everywhere, J_r in the plane alone: up to 3% apart 50 pc to 1 kpc above it."""
        apart = []
        for star, delta, (J_r, J_z, _) in followed:
            theirs = self.theirs(potential, star, delta)
            assert theirs[1] == pytest.approx(J_z, rel=1e-6)
            if star[1] == 0:
                assert theirs[0] == pytest.approx(J_r, rel=1e-6)
            elif abs(star[1]) < 1:
                apart.append(abs(theirs[0] / J_r - 1))
        assert 0.01 < max(apart) < 0.05
