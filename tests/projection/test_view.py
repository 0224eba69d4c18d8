"""The observer's parameters: the same star, seen by another Sun, has the same density in phase space."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import galactions as ga
from galactions.errors import ModelError
from galactions.projection.view import MILKY_WAY_SUN, View, model_sun
from galactions.survey.frame import observed

OTHER = {"u_sun": 9.0, "v_sun": 15.0, "w_sun": 6.0, "z_sun": -0.03, "v0_sun": 241.0, "distance_scale": 1.08}
STARS = np.array(
    [
        [-7.0, 0.5, 0.1, 10.0, -20.0, 5.0],
        [-10.0, -2.0, -0.4, -30.0, 8.0, -12.0],
        [-6.5, 1.5, 1.0, 5.0, 9.0, 40.0],
    ]
) + np.array([0.0, 0.0, 0.0, 0.0, 220.0, 0.0])


@pytest.fixture(scope="module")
def dfs(initial):
    return {name: initial.df(name) for name in ("thin_disk", "thick_disk")}


def seen(view):
    """The stars in a catalogue of this view."""
    l, b, d, *velocities = (np.asarray(a) for a in observed(STARS, view.sun))  # noqa: E741
    return jnp.stack([l, b, d / view.distance_scale, *velocities])


def test_without_its_parameters_the_observer_is_as_ever(initial):
    view = View.of(initial)
    found = {name: float(getattr(view.sun, name)) for name in "zuvw"}
    assert found == MILKY_WAY_SUN
    assert float(view.sun.v0) == pytest.approx(float(initial.circular_velocity(8.11)), rel=1e-12)
    assert float(view.distance_scale) == 1.0


@pytest.mark.parametrize("changed", [{}, *({name: value} for name, value in OTHER.items()), OTHER])
def test_the_density_of_a_star_does_not_depend_on_who_looks(initial, dfs, changed):
    plain = View.of(initial)
    view = View.at(dfs, initial.action_table, {"d_sun": 8.11, **changed})
    expected = np.asarray(plain.phase_space_density(seen(plain)))
    assert np.all(expected > 0)
    assert np.asarray(view.phase_space_density(seen(view))) == pytest.approx(expected, rel=1e-8)


def test_derivatives_by_the_observer(initial, dfs):
    stars = seen(View.of(initial))
    names = ("d_sun", *OTHER)
    start = jnp.array([8.11, *OTHER.values()])

    @jax.jit  # the model is an argument, not a constant that is compiled in
    def density(values, dfs, table):
        view = View.at(dfs, table, dict(zip(names, values, strict=True)))
        return jnp.log(view.phase_space_density(stars))

    model = dfs, initial.action_table
    slopes = np.asarray(jax.jit(jax.jacfwd(density))(start, *model))
    for i, name in enumerate(names):
        step = {"z_sun": 1e-4, "distance_scale": 1e-5}.get(name, 1e-3) * jnp.eye(len(names))[i]
        found = density(start + step, *model) - density(start - step, *model)
        found = np.asarray(found) / (2 * float(step[i]))
        assert slopes[:, i] == pytest.approx(found, rel=1e-5, abs=1e-5 * np.abs(found).max()), name


def test_the_observer_belongs_to_every_model():
    spec = ga.named_model("Mc17a").replace(**OTHER)
    assert spec.parameters["u_sun"] == 9.0
    assert "distance_scale" in spec.parameter_names()[1]
    for name, value, told in (
        ("v0_sun", -1.0, "must be positive"),
        ("distance_scale", 0.0, "must be positive"),
        ("u_sun", float("nan"), "must be a finite number"),
        ("z_sun", 9.0, "must be smaller than d_sun"),
    ):
        with pytest.raises(ModelError, match=told):
            spec.replace(**{name: value})


def test_the_sun_takes_what_is_given(initial):
    sun = model_sun(initial.total_potential, {"d_sun": 8.0, "w_sun": 7.9})
    assert (float(sun.d), float(sun.w), float(sun.u)) == (8.0, 7.9, MILKY_WAY_SUN["u"])
