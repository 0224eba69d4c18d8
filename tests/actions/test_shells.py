"""Shell orbits and focal distances where they are known in closed form."""

import jax.numpy as jnp
import numpy as np
import pytest

from galactions.actions.shells import largest_focal_distance2
from galactions.numerics.spline import Spline1D
from galactions.potential.field import R_AXIS, R_SCALE, RadialProfile

R_CIRC = jnp.asarray([0.5, 2.0, 8.0, 30.0])


def profile(potential):
    return RadialProfile(Spline1D.fit(R_AXIS, potential(R_SCALE * np.sinh(R_AXIS.nodes)), "even"))


@pytest.mark.parametrize(
    ("potential", "energy", "largest"),
    [
        # v_c^2 ln r: Delta^2/R_c^2 = -2 x^2 ln x, which is largest, 1/e, at x = e^-1/2.
        (
            lambda r: 220.0**2 * np.log(np.hypot(r, 1e-3)),
            lambda R: 220.0**2 * (np.log(R) + 0.5),
            1 / np.e,
        ),
        # -GM/r: x^2 (1 - x), which is largest, 4/27, at x = 2/3.
        (lambda r: -4.3e5 / np.hypot(r, 1e-3), lambda R: -4.3e5 / (2 * R), 4 / 27),
    ],
    ids=["flat", "kepler"],
)
def test_largest_focal_distance(potential, energy, largest):
    """A power mean, so a little less than the largest; the same at all radii."""
    found = np.asarray(largest_focal_distance2(profile(potential), energy(R_CIRC), R_CIRC) / R_CIRC**2)
    assert np.all(found < largest)
    np.testing.assert_allclose(found, 0.93 * largest, rtol=0.03)
    np.testing.assert_allclose(found, found[-1], rtol=1e-3)
