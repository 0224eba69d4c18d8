"""The Miyamoto-Nagai disc: Poisson's equation, limits, and its place in the solver."""

import jax
import jax.numpy as jnp
import numpy as np

from galactions.constants import G
from galactions.potential import MiyamotoNagai, solve_poisson
from galactions.potential.field import POISSON_GRID

DISK = MiyamotoNagai(*(jnp.asarray(x) for x in (6.8e10, 3.0, 0.28)))
R, Z = (jnp.asarray(a.ravel()) for a in np.meshgrid([0.3, 2.0, 8.0, 30.0], [0.0, 0.1, 1.0, 6.0]))


def test_density_is_the_laplacian():
    def laplacian(R, z):
        first = jax.grad(DISK.ansatz_potential, 0)
        second = jax.grad(first, 0), jax.grad(jax.grad(DISK.ansatz_potential, 1), 1)
        return first(R, z) / R + second[0](R, z) + second[1](R, z)

    rho = jax.vmap(laplacian)(R, Z) / (4 * np.pi * G)
    np.testing.assert_allclose(DISK.density(R, Z), rho, rtol=1e-9)


def test_without_thickness_it_is_a_plummer_sphere():
    """a = 0: the lengths a and b are told apart."""
    sphere = MiyamotoNagai(DISK.M, jnp.asarray(0.0), jnp.asarray(2.0))
    r2 = R**2 + Z**2
    np.testing.assert_allclose(sphere.ansatz_potential(R, Z), -G * 6.8e10 / jnp.sqrt(r2 + 4), rtol=1e-12)
    plummer = 3 * 6.8e10 / (4 * np.pi * 8) * (1 + r2 / 4) ** -2.5
    np.testing.assert_allclose(sphere.density(R, Z), plummer, rtol=1e-12)


def test_potential_of_the_solver_is_the_exact_one():
    potential = jax.jit(lambda disk: solve_poisson(jnp.zeros(POISSON_GRID.Rz[0].shape), [disk]))(DISK)
    np.testing.assert_allclose(potential(R, Z), DISK.ansatz_potential(R, Z), rtol=1e-6)
    radii = jnp.asarray([0.5, 2.0, 8.0, 30.0])
    exact = radii * jax.vmap(jax.grad(DISK.ansatz_potential))(radii, jnp.zeros(4))
    np.testing.assert_allclose(potential.circular_velocity(radii) ** 2, exact, rtol=1e-5)
