"""The direct fudge where it is exact: a spherical potential and one of Staeckel form."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import staeckel
from staeckel import GM

from galactions.actions.fudge import fudge_actions

N = 90
"""Stars of each test, so that they share a program."""

B = 3.0
"""Scale of the isochrone, kpc."""

A, C = 3.0, 1.2
"""Scales of the Kuzmin-Kutuzov potential, kpc."""


def isochrone(R, z):
    return -GM / (B + jnp.sqrt(B**2 + R**2 + z**2))


def kuzmin_kutuzov(R, z):
    return staeckel.kuzmin_kutuzov(R, z, A, C)


def with_gradient(potential):
    def gradient(R, z):
        by_R = jax.jvp(lambda a: potential(a, z), (R,), (jnp.ones_like(R),))[1]
        by_z = jax.jvp(lambda a: potential(R, a), (z,), (jnp.ones_like(z),))[1]
        return by_R, by_z

    return potential, gradient


@partial(jax.jit, static_argnames=("potential", "nodes"))
def actions(potential, stars, delta2, nodes=100):
    """J_r and J_z of stars (R, z, v_R, v_z, L_z) in a potential."""
    return fudge_actions(*with_gradient(potential), *stars, jnp.full_like(stars[0], delta2), nodes)


def random_stars(seed=5, n=200, speed=120.0):
    """R, z, v_R, v_z, L_z of bound stars, from the inner galaxy to the outer halo and of every shape."""
    random = np.random.default_rng(seed)
    R = np.exp(random.uniform(np.log(0.5), np.log(20), n))
    z = R * random.uniform(-1.0, 1.0, n)
    v_R, v_z, v_phi = random.normal(size=(3, n)) * speed
    return R, z, v_R, v_z, R * v_phi


def keep_bound(stars, potential):
    R, z, v_R, v_z, L_z = stars
    E = 0.5 * (v_R**2 + v_z**2 + (L_z / R) ** 2) + np.asarray(potential(R, z))
    keep = 0.15 * np.asarray(potential(1e-3 * np.ones(1), np.zeros(1)))[0] > E
    assert keep.sum() >= N
    return tuple(jnp.asarray(a[keep][:N]) for a in stars), jnp.asarray(E[keep][:N])


class TestIsochrone:
    """J_r = GM / sqrt(-2E) - (L + sqrt(L^2 + 4 GM b)) / 2 (Binney & Tremaine 2008, eq. 3.225), J_z = L -
    |L_z|.
    """

    def exact(self, R, z, v_R, v_z, L_z, E):
        L = jnp.sqrt((R * v_z - z * v_R) ** 2 + L_z**2 * (1 + (z / R) ** 2))
        return GM / jnp.sqrt(-2 * E) - 0.5 * (L + jnp.sqrt(L**2 + 4 * GM * B)), L - jnp.abs(L_z)

    def test_actions(self):
        stars, E = keep_bound(random_stars(), isochrone)
        J_r, J_z = actions(isochrone, stars, 0.0)
        exact_r, exact_z = self.exact(*stars, E)
        scale = np.asarray(exact_r + exact_z + jnp.abs(stars[4]))
        assert np.max(np.abs(J_r - exact_r) / scale) < 1e-8
        assert np.max(np.abs(J_z - exact_z) / scale) < 1e-8

    def test_few_nodes_are_enough_for_ordinary_orbits(self):
        stars, E = keep_bound(random_stars(), isochrone)
        J_r, J_z = actions(isochrone, stars, 0.0, nodes=20)
        exact_r, exact_z = self.exact(*stars, E)
        scale = np.asarray(exact_r + exact_z + jnp.abs(stars[4]))
        assert np.median(np.abs(J_r - exact_r) / scale) < 1e-7
        assert np.median(np.abs(J_z - exact_z) / scale) < 1e-7

    def test_derivatives_with_respect_to_velocity(self):
        """Through the turning points, against the derivatives of the closed form."""
        stars, E = keep_bound(random_stars(), isochrone)
        R, z, v_R, v_z, L_z = stars
        one = jnp.ones_like(R)

        def found(v):
            return jnp.stack(actions(isochrone, (R, z, v, v_z, L_z), 0.0))

        ours = jax.jvp(found, (v_R,), (one,))[1]

        def closed(v):
            energy = E + 0.5 * (v**2 - v_R**2)
            return jnp.stack(self.exact(R, z, v, v_z, L_z, energy))

        exact = jax.jvp(closed, (v_R,), (one,))[1]
        scale = np.max(np.abs(exact), axis=0) + 1e-2
        assert np.median(np.abs(ours - exact) / scale) < 1e-8
        assert np.percentile(np.abs(ours - exact) / scale, 95) < 1e-5


class TestKuzminKutuzov:
    """Phi = -GM / (sqrt(lambda) + sqrt(nu)) (Dejonghe & de Zeeuw 1988), with the separated integrals done
    independently.

    lambda and nu are the roots tau of R^2/(tau - a^2) + z^2/(tau - c^2) = 1, and
    p_tau^2 = [E - L_z^2/2/(tau - a^2) - I3/(tau - c^2) + GM sqrt(tau)/(tau - c^2)] / (2 (tau - a^2)),
    whose zeros are those of a quartic in sqrt(tau).
    """

    QUADRATURE = np.polynomial.legendre.leggauss(400)

    def exact(self, R, z, v_R, v_z, L_z):
        a2, c2 = A**2, C**2
        E = 0.5 * (v_R**2 + v_z**2 + (L_z / R) ** 2) + float(kuzmin_kutuzov(R, z))
        total, product = R**2 + z**2 + a2 + c2, a2 * c2 + R**2 * c2 + z**2 * a2
        lam = 0.5 * (total + np.sqrt(total**2 - 4 * product))
        p_lam = v_R * R / (2 * (lam - a2)) + v_z * z / (2 * (lam - c2))
        I3 = (lam - c2) * (E - 0.5 * L_z**2 / (lam - a2) - 2 * (lam - a2) * p_lam**2) + GM * np.sqrt(lam)
        # N(u) = 2 (tau - a^2)^2 (tau - c^2) p_tau^2 with tau = u^2
        half = 0.5 * L_z**2
        quartic = [E, GM, -E * (a2 + c2) - half - I3, -GM * a2, E * a2 * c2 + half * c2 + I3 * a2]
        roots = np.sort(np.roots(quartic)[np.abs(np.roots(quartic).imag) < 1e-6 * A].real) ** 2
        inner, outer = roots[roots > a2 * (1 + 1e-12)][-2:]
        top = roots[(roots > c2 * (1 - 1e-12)) & (roots < a2)][-1]

        def p(tau, leading):
            """|p_tau| with the zeros of N at the ends of the interval divided out and handled by the
            substitution.
            """
            return np.sqrt(np.maximum(np.polyval(quartic, np.sqrt(tau)) / leading, 0)) / (
                np.sqrt(2) * np.abs(tau - a2)
            )

        theta, w = self.QUADRATURE
        theta_r = 0.5 * np.pi * theta
        tau = 0.5 * (inner + outer) + 0.5 * (outer - inner) * np.sin(theta_r)
        J_r = np.sum(w * p(tau, tau - c2) * np.cos(theta_r)) * 0.25 * (outer - inner)
        theta_z = 0.25 * np.pi * (theta + 1)
        tau = c2 + (top - c2) * np.sin(theta_z) ** 2
        J_z = np.sum(w * p(tau, tau - c2) * np.sin(2 * theta_z)) * 0.5 * (top - c2)
        return J_r, J_z

    def test_actions(self):
        stars, _ = keep_bound(random_stars(7), kuzmin_kutuzov)
        J_r, J_z = actions(kuzmin_kutuzov, stars, A**2 - C**2)
        exact = np.array([self.exact(*(float(a[i]) for a in stars)) for i in range(len(stars[0]))])
        scale = exact.sum(axis=1) + np.abs(stars[4])
        assert np.max(np.abs(J_r - exact[:, 0]) / scale) < 1e-8
        assert np.max(np.abs(J_z - exact[:, 1]) / scale) < 1e-8

    def test_actions_are_constant_along_an_orbit(self):
        from scipy.integrate import solve_ivp

        slope = jax.jit(with_gradient(kuzmin_kutuzov)[1])
        L_z = 900.0

        def rhs(_, y):
            F_R, F_z = slope(y[0], y[1])
            return [y[2], y[3], L_z**2 / y[0] ** 3 - float(F_R), -float(F_z)]

        y = solve_ivp(
            rhs, (0, 0.6), [6.0, 0.5, 40.0, 60.0], method="DOP853", rtol=1e-11, atol=1e-11, max_step=0.0067
        ).y[:, :N]
        stars = (*map(jnp.asarray, y), jnp.asarray(np.full(N, L_z)))
        J = actions(kuzmin_kutuzov, stars, A**2 - C**2)
        assert np.ptp(y[0]) > 1
        for action in J:
            assert np.ptp(action) / np.mean(action) < 1e-7


@pytest.mark.parametrize("delta2", [0.0, 4.0])
def test_unbound_stars_get_nan(delta2):
    stars = tuple(jnp.asarray(np.full(N, x)) for x in (8.0, 0.1, 900.0, 10.0, 1800.0))
    assert np.all(np.isnan(actions(isochrone, stars, delta2)))
