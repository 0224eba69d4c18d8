"""Focal distances, prolate and oblate, where the potential is of Staeckel form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from staeckel import kuzmin_kutuzov

from galactions.actions.fudge import fudge_actions
from galactions.actions.shells import circular_orbit, focal_distance2, largest_oblateness2, reachable_delta2
from galactions.actions.tabulate import tabulate_actions
from galactions.numerics.spline import Spline2D
from galactions.potential.field import R_AXIS, R_SCALE, Z_AXIS, Z_SCALE, Potential

FLAT, LONG = (3.0, 2.0), (2.0, 2.1)
"""Scales a and c of Kuzmin-Kutuzov potentials (kpc), where Delta^2 = a^2 - c^2: a flattened one and one that
is longer than it is wide, whose spheroids are oblate."""


def tabulated(a, c):
    R, z = (s * np.sinh(axis.nodes) for s, axis in ((R_SCALE, R_AXIS), (Z_SCALE, Z_AXIS)))
    values = kuzmin_kutuzov(R[:, None], z, a, c)
    return Potential(Spline2D.fit(R_AXIS, Z_AXIS, values, "even", "even"), values[0, 0])


def orbits(potential, R, ell):
    """E, L_z and R of circular orbits of that energy."""
    R, ell = (jnp.asarray(x.ravel()) for x in np.meshgrid(R, ell))
    phi, slope, _, _ = potential.midplane(R)
    E = phi + 0.5 * R * slope
    return E, ell * circular_orbit(potential.midplane_profile(), E)[1], R


@pytest.mark.parametrize(("a", "c"), [FLAT, LONG])
def test_focal_distance_of_a_staeckel_potential(a, c):
    potential = tabulated(a, c)
    E, L_z, R = orbits(potential, [4.0, 8.0, 20.0], [0.5, 0.7, 0.9, 0.97])
    found = jax.jit(focal_distance2)(potential, E, L_z, R)
    np.testing.assert_allclose(found, a**2 - c**2, rtol=0.01)


def test_actions_in_a_long_galaxy():
    """Tabulated with oblate spheroids, against the direct ones, which are exact for that focal distance."""
    potential, random, n = tabulated(*LONG), np.random.default_rng(4), 500
    R, z = random.uniform(4, 20, n), random.normal(size=n)
    v_R, v_z = 40.0 * random.normal(size=(2, n))
    v_phi = np.asarray(potential.circular_velocity(jnp.asarray(R))) * random.uniform(0.7, 1.1, n)
    delta2 = jnp.full(n, LONG[0] ** 2 - LONG[1] ** 2)
    exact = fudge_actions(potential, potential.gradient, R, z, v_R, v_z, R * v_phi, delta2)
    found = jax.jit(tabulate_actions(potential).__call__)(R, z, v_R, v_z, v_phi)
    for ours, theirs in zip(found, exact, strict=False):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-3 * np.median(theirs))


def test_spheroids_stay_clear_of_orbits():
    """Oblate coordinates end at a disc, which has to be out of reach; the limit sets in smoothly."""
    E, L_z, central = -1e5, 500.0, -3e5
    least = -float(largest_oblateness2(E, L_z, central))
    delta2 = jnp.linspace(20 * least, -least, 4001)
    limited = jax.vmap(lambda x: reachable_delta2(x, E, L_z, central))(delta2)
    slopes = jax.vmap(jax.grad(lambda x: reachable_delta2(x, E, L_z, central)))(delta2)
    assert np.all(limited > least)
    np.testing.assert_array_equal(limited[delta2 > 0], delta2[delta2 > 0])
    assert np.all(slopes > 0)
    assert np.max(np.abs(np.diff(slopes))) < 0.01
    assert np.isfinite(jax.grad(lambda L_z: reachable_delta2(1.0, E, L_z, central))(0.0))
    # At the edge of that disc the centrifugal energy alone exceeds all there is.
    assert 0.5 * L_z**2 / -least > E - central
