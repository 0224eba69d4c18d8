"""Properties that the total potential of a galaxy must have, and its reference values."""

import jax
import numpy as np
import pytest

from galactions.constants import G

R, Z = (
    a.ravel()
    for a in np.meshgrid([0.3, 1.0, 3.0, 5.5, 8.1, 12.0, 20.0], [0.15, 0.4, 1.0, 2.5, 8.0], indexing="ij")
)


def total_density(galaxy, R, z):
    return sum(np.asarray(galaxy.density(name, R, z)) for name in galaxy.components)


def test_force_is_the_gradient(initial):
    F_R, F_z = initial.force(R, Z)
    step = 1e-4
    numeric_R = -(initial.potential(R + step, Z) - initial.potential(R - step, Z)) / (2 * step)
    numeric_z = -(initial.potential(R, Z + step) - initial.potential(R, Z - step)) / (2 * step)
    np.testing.assert_allclose(F_R, numeric_R, rtol=2e-6)
    np.testing.assert_allclose(F_z, numeric_z, rtol=2e-6)


def test_force_is_the_derivative_of_the_code(initial):
    potential = initial.total_potential
    slopes = jax.jit(jax.vmap(jax.grad(potential, argnums=(0, 1))))(R, Z)
    np.testing.assert_allclose(np.stack(slopes), -np.stack(initial.force(R, Z)), rtol=1e-10)


def test_laplacian_is_the_density(initial):
    """Second derivatives of the tabulated potential, by finite differences over a tenth of z, against 4 pi G
    rho.
    """
    h = 0.02 * np.minimum(R, Z)

    def radial(R):
        return R * initial.force(R, Z)[0]

    by_R = (radial(R + h) - radial(R - h)) / (2 * h * R)
    by_z = (initial.force(R, Z + h)[1] - initial.force(R, Z - h)[1]) / (2 * h)
    density = -(by_R + by_z) / (4 * np.pi * G)
    exact = total_density(initial, R, Z)
    error = np.abs(density - exact) / exact
    assert np.median(error) < 2e-3
    assert np.max(error) < 3e-2


def test_symmetric_about_the_plane(initial):
    np.testing.assert_array_equal(initial.potential(R, -Z), initial.potential(R, Z))
    above, below = initial.force(R, Z), initial.force(R, -Z)
    np.testing.assert_array_equal(below[0], above[0])
    np.testing.assert_array_equal(below[1], -above[1])
    np.testing.assert_array_equal(initial.force(R, 0.0)[1], 0.0)


def test_circular_velocity_is_the_force_in_the_plane(initial):
    R = np.array([0.5, 2.0, 8.11, 20.0])
    np.testing.assert_allclose(initial.circular_velocity(R) ** 2, -R * initial.force(R, 0.0)[0], rtol=1e-12)


def test_components_add_up_to_the_circular_velocity(initial):
    R = np.array([1.0, 4.0, 8.11, 20.0])
    parts = sum(initial.circular_velocity_squared(name, R) for name in initial.components)
    np.testing.assert_allclose(np.sqrt(parts), initial.circular_velocity(R), rtol=1e-5)


def test_circular_radius_has_its_angular_momentum(initial):
    L = np.geomspace(10.0, 2e4, 12)
    R = np.asarray(initial.total_potential.circular_radius(L))
    np.testing.assert_allclose(R * initial.circular_velocity(R), L, rtol=1e-9)


def test_mass_by_gauss_is_the_mass_of_the_components(initial):
    """Within 100 kpc: NFW halo, exponential discs, and gas and bulge by plain sums over their densities."""
    value = initial.spec.parameters
    x = 100.0 / value["r0_halo"]
    mass = 4 * np.pi * value["rho0_halo"] * value["r0_halo"] ** 3 * (np.log1p(x) - x / (1 + x))
    mass += sum(2 * np.pi * value[f"Sigma0_{disk}"] * value[f"R_d_{disk}"] ** 2 for disk in ("thin", "thick"))
    r = np.geomspace(1e-3, 100, 4000)
    for gas in ("HI", "H2"):
        surface = initial.state.densities[gas].surface_density(r)
        mass += np.trapezoid(2 * np.pi * r**2 * surface, np.log(r))
    c, w = np.polynomial.legendre.leggauss(40)
    bulge = np.asarray(initial.density("bulge", r[:, None] * np.sqrt(1 - c**2), r[:, None] * c)) @ w
    mass += np.trapezoid(2 * np.pi * r**3 * bulge, np.log(r))
    assert float(initial.total_potential.enclosed_mass(np.asarray(100.0))) == pytest.approx(mass, rel=1e-3)


class TestReference:
    """The initial potential of Mc17a against AGAMA's, whose own errors are about 1e-3."""

    def test_potential(self, initial, reference):
        R, z = reference["Rz"].T
        np.testing.assert_allclose(initial.potential(R, z), reference["initial_potential"], rtol=3e-4)

    def test_force(self, initial, reference):
        """1e-3 of the force's length, 2e-3 below R = 1 kpc."""
        R, z = reference["Rz"].T
        force = np.stack(initial.force(R, z), axis=1)
        size = np.linalg.norm(reference["initial_force"], axis=1)
        error = np.linalg.norm(force - reference["initial_force"], axis=1) / size
        assert np.max(error[R >= 1]) < 1e-3
        assert np.max(error[R < 1]) < 2e-3

    def test_circular_velocity(self, initial, reference):
        np.testing.assert_allclose(
            initial.circular_velocity(reference["R"]), reference["initial_vcirc"], rtol=5e-4
        )

    @pytest.mark.parametrize(
        "name, key",
        [
            ("thin_disk", "thin"),
            ("thick_disk", "thick"),
            ("HI", "HI"),
            ("H2", "H2"),
            ("bulge", "bulge"),
            ("halo", "halo"),
        ],
    )
    def test_circular_velocity_of_each_component(self, initial, reference, name, key):
        total = reference["initial_vcirc"] ** 2
        error = initial.circular_velocity_squared(name, reference["R"]) - reference[f"initial_vcirc2_{key}"]
        assert np.max(np.abs(error) / total) < 1e-3

    def test_kappa_and_omega(self, initial, reference):
        kappa, _, Omega = initial.frequencies(reference["R"])
        np.testing.assert_allclose(kappa, reference["initial_kappa_nu_Omega"][:, 0], rtol=1e-3)
        np.testing.assert_allclose(Omega, reference["initial_kappa_nu_Omega"][:, 2], rtol=1e-3)

    def test_nu(self, initial, reference):
        _, nu, _ = initial.frequencies(reference["R"])
        np.testing.assert_allclose(nu, reference["initial_kappa_nu_Omega"][:, 1], rtol=1e-3)

    def test_virial(self, initial):
        """AGAMA: 231.58 kpc, 1.32185e12 Msun."""
        virial = initial.virial()
        assert virial.r200 == pytest.approx(231.575635633702, rel=1e-3)
        assert virial.m200 == pytest.approx(1321847921264.413, rel=3e-3)
