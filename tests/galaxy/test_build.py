"""Building: history, initial state, questions that have no answer, derivatives through the iteration."""

import dataclasses
import importlib
from itertools import pairwise
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import galactions as ga
from galactions.errors import ModelError, ModelWarning
from galactions.galaxy.fitness import require_distribution_functions
from galactions.galaxy.iteration import initial_state, iterate
from galactions.inference.model_predictor import ModelPredictor

D_SUN = 8.11
build_module = importlib.import_module("galactions.galaxy.build")


def test_history_has_an_entry_per_iteration(settled):
    assert settled.iterations == 5
    assert [entry["iteration"] for entry in settled.history] == [1, 2, 3, 4, 5]
    for entry in settled.history:
        assert set(entry) == {
            "iteration", "residual", "residual_density", "v_circ_sun_kms", "r200_kpc", "m200_msun",
            "density_sun_msun_pc3", "profiles", "seconds",
        }  # fmt: skip
        assert set(entry["density_sun_msun_pc3"]) == set(settled.components)
    last = settled.history[-1]
    assert last["v_circ_sun_kms"] == pytest.approx(float(settled.circular_velocity(D_SUN)), rel=1e-12)
    assert last["m200_msun"] == pytest.approx(settled.virial().m200, rel=1e-12)


def test_iteration_converges(settled):
    """Like a geometric series: the force changes by 0.6 of what it changed before."""
    residuals = [entry["residual"] for entry in settled.history]
    assert all(later < 0.66 * earlier for earlier, later in pairwise(residuals))


def test_initial_state_is_the_analytic_one(initial):
    assert initial.iterations == 0
    assert initial.history == ()
    R, z = 6.0, 0.4
    thin = 8.95e8 * np.exp(-R / 2.48) * np.exp(-z / 0.3) / 0.6
    assert float(initial.density("thin_disk", R, z)) == pytest.approx(thin, rel=1e-12)
    r = np.hypot(R, z) / 19.25
    assert float(initial.density("halo", R, z)) == pytest.approx(8.52e6 / (r * (1 + r) ** 2), rel=1e-12)


def test_profiles_of_the_history(initial, settled):
    """Figs. 6 and 7: masses and dispersions of the first and of the last state are those of the galaxy."""
    assert settled.initial["residual"] is None
    for galaxy, entry in ((initial, settled.initial), (settled, settled.history[-1])):
        kept = entry["profiles"]
        mass = galaxy.total_potential.enclosed_mass(jnp.asarray(kept["r_kpc"]))
        np.testing.assert_allclose(kept["mass_within_msun"], mass, rtol=1e-12)
        assert np.all(np.diff(kept["mass_within_msun"]) > 0)
        assert set(kept["dispersions_kms"]) == {"thin_disk", "thick_disk"}
        for name, sigmas in kept["dispersions_kms"].items():
            moments = galaxy.velocity_moments(name, np.array(kept["R_kpc"][2:4]), 0.0)
            for key, values in sigmas.items():
                np.testing.assert_allclose(values[2:4], getattr(moments, key), rtol=1e-10)


class TestAuto:
    """Until the force settles, told by the residual alone."""

    def test_stops_at_the_tolerance(self, settled, monkeypatch):
        """At a tolerance that the third iteration is the first to meet. The galaxy is that of three
        iterations, to the last bit, and progress is told of each.
        """
        residuals = [entry["residual"] for entry in settled.history]
        monkeypatch.setattr(build_module, "AUTO_TOLERANCE", 0.5 * (residuals[1] + residuals[2]))
        seen = []
        galaxy = ga.build("Mc17a", iterations="auto", progress=seen.append)
        assert [entry["residual"] for entry in galaxy.history] == residuals[:3]
        assert galaxy.history[2]["v_circ_sun_kms"] == settled.history[2]["v_circ_sun_kms"]
        assert tuple(seen) == galaxy.history

    def test_reaches_the_fixed_point(self):
        galaxy = ga.build("Mc17a", iterations="auto")
        assert galaxy.iterations <= 16
        assert galaxy.history[-1]["residual"] < 1e-4
        last, before = (entry["v_circ_sun_kms"] for entry in galaxy.history[:-3:-1])
        assert last == pytest.approx(before, rel=1e-5)

    def test_tells_where_it_does_not_end(self, monkeypatch):
        monkeypatch.setattr(build_module, "AUTO_LIMIT", 1)
        with pytest.warns(ModelWarning, match=r"Mc17a has not converged after 1 iterations: .*still changes"):
            galaxy = ga.build("Mc17a", iterations="auto")
        assert galaxy.iterations == 1

    def test_has_nothing_to_do_without_distribution_functions(self):
        assert ga.build("PriceWhelan17", iterations="auto").iterations == 0


class TestDistributionFunctionsThatDoNotFit:
    """Densities that no DF of the kind can have: told, not clipped in silence."""

    def radial_halo(self, **values):
        """Mc17a with an anisotropic halo."""
        spec = ga.named_model("Mc17a")
        components = tuple(
            dataclasses.replace(c, df="cuddeford") if c.name == "halo" else c for c in spec.components
        )
        return dataclasses.replace(spec, components=components).replace(**values)

    def test_orbits_radial_too_far_in(self):
        """Radial beyond 5 kpc, a quarter of the scale radius: 3% of the mass would be negative."""
        with pytest.raises(
            ModelError, match=r"of halo does not fit .*negative for 3.*% of its mass.*raise r_a"
        ):
            ga.build(self.radial_halo(r_a_halo_df=5.0), iterations=0)

    @pytest.mark.parametrize("asked", ["predict", "extended"])
    def test_in_a_trial_of_a_fit(self, asked):
        """Told before anything is predicted."""
        predictor = ModelPredictor(self.radial_halo(), SimpleNamespace(prediction=None), 1, 1)
        with pytest.raises(ModelError, match=r"of halo does not fit .*negative for 3.*% of its mass"):
            getattr(predictor, asked)({"r_a_halo_df": 5.0})

    def test_under_a_derivative(self):
        """Where there is no value to judge by."""
        parameters = dict(self.radial_halo(r_a_halo_df=5.0).parameters)
        dfs = jax.eval_shape(lambda p: _judged(self.radial_halo().components, p), parameters)
        assert "halo" in dfs

    @pytest.mark.slow
    def test_anisotropy_above_what_the_slope_allows(self):
        """beta <= gamma/2 in the centre (An & Evans 2006): a cored halo cannot be radial there, where it has
        next to no mass.
        """
        with pytest.warns(ModelWarning, match=r"of halo does not fit .*negative for 0.03.*% of its mass"):
            ga.build(self.radial_halo(gamma_halo=0.0, beta_halo_df=0.45), iterations=0)

    @pytest.mark.parametrize("name", ["bulge", "halo"])
    def test_those_of_the_paper_fit(self, initial, name):
        assert float(initial.df(name).deficit.share) < 1e-12


def test_gas_stays_what_it_is(initial, settled):
    R = np.array([5.0, 8.0, 12.0])
    for gas in ("HI", "H2"):
        np.testing.assert_array_equal(settled.density(gas, R, 0.05), initial.density(gas, R, 0.05))


def test_surface_density_of_the_analytic_disc(initial):
    R = np.array([4.0, 8.0, 12.0])
    np.testing.assert_allclose(initial.surface_density("thin_disk", R), 8.95e8 * np.exp(-R / 2.48), rtol=1e-4)


def test_results_have_the_shape_of_the_arguments(settled):
    R, z = np.linspace(4, 9, 3)[:, None], np.linspace(0, 1, 4)
    assert settled.potential(R, z).shape == (3, 4)
    assert settled.density("halo", R, z).shape == (3, 4)
    assert settled.velocity_moments("thin_disk", R, z).sigma_R.shape == (3, 4)
    assert settled.circular_velocity(8.0).shape == ()


def test_unknown_component_is_told(initial):
    with pytest.raises(ModelError, match=r"no component 'disk'.*thin_disk"):
        initial.density("disk", 8.0, 0.0)


def test_gas_has_no_distribution_function(initial):
    with pytest.raises(ModelError, match=r"'HI' has no distribution function.*thin_disk"):
        initial.velocity_moments("HI", 8.0, 0.0)


def test_masses_and_velocities_scale(initial):
    """Twice the density everywhere: the potential doubles, velocities grow by the square root of two."""
    spec = initial.spec
    doubled = {n: 2 * v for n, v in spec.parameters.items() if n.startswith(("Sigma0_", "rho0_"))}
    heavy = ga.build(spec.replace(**doubled), iterations=0)
    R, z = np.array([2.0, 8.0, 20.0]), 0.5
    np.testing.assert_allclose(heavy.potential(R, z), 2 * np.asarray(initial.potential(R, z)), rtol=1e-12)
    np.testing.assert_allclose(
        heavy.circular_velocity(R), np.sqrt(2) * np.asarray(initial.circular_velocity(R)), rtol=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Sigma0_thin", "sigma_z0_thin", "h_thick", "r0_halo", "R_sigma_thin"])
def test_derivatives_through_an_iteration(initial, name):
    """v_circ(d_sun) after one iteration, forward mode against central differences."""
    spec = initial.spec

    def v_circ(parameters):
        ingredients, state = initial_state(spec.components, parameters)
        return _velocity(iterate(ingredients, state).potential)

    parameters = {key: jnp.asarray(value) for key, value in spec.parameters.items()}
    direction = {key: jnp.asarray(value if key == name else 0.0) for key, value in spec.parameters.items()}
    _, slope = jax.jvp(v_circ, (parameters,), (direction,))
    h = 1e-4
    up, down = (
        float(v_circ({key: parameters[key] + sign * h * direction[key] for key in parameters}))
        for sign in (1, -1)
    )
    assert float(slope) == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-5)


def _judged(components, parameters):
    dfs = initial_state(components, parameters)[0].dfs
    require_distribution_functions("traced", dfs)
    return dfs


_velocity = jax.jit(lambda potential: potential.circular_velocity(jnp.asarray(D_SUN)))
