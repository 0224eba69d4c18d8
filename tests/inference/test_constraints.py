"""Outside constraints against the galaxy's own methods, and their derivatives against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import galactions as ga
from galactions.config import parse_config
from galactions.data.published import circular_velocity_curves
from galactions.errors import ConfigError
from galactions.galaxy.iteration import State, initial_state
from galactions.inference.constraints import Constraints

HEAD = '[survey]\ncatalogue = "stars.fits"\n'
TABLES = """
[[fit.constraints]]
kind = "circular_velocity"
R = [6.0, 8.0, 14.0]
value = [230.0, 231.0, 215.0]
sigma = 3.0
[[fit.constraints]]
kind = "local_density"
of = "dark"
value = 0.011
sigma = 0.001
systematic = 0.001
[[fit.constraints]]
kind = "local_density"
of = "thin_disk"
z = [0.0, 0.5]
value = [0.04, 0.01]
sigma = [0.004, 0.002]
[[fit.constraints]]
kind = "surface_density"
of = "stars"
z_max = 2.0
value = 40.0
sigma = 4.0
[[fit.constraints]]
kind = "vertical_force"
R = [7.0, 8.0, 10.0]
z = 1.1
value = [90.0, 70.0, 45.0]
sigma = 5.0
[[fit.constraints]]
kind = "terminal_velocities"
l = [-60.0, -30.0, 30.0, 60.0]
value = [-70.0, -120.0, 120.0, 70.0]
sigma = 3.0
systematic = 7.0
[[fit.constraints]]
kind = "enclosed_mass"
r = [20.0, 60.0]
value = [2.1e11, 5.0e11]
sigma = [0.3e11, 0.7e11]
[[fit.constraints]]
kind = "m200"
value = 1.2e12
sigma = 2.0e11
[[fit.constraints]]
kind = "escape_speed"
value = 530.0
sigma = 30.0
limit_r200 = 3.0
[[fit.constraints]]
kind = "escape_speed"
R = 12.0
z = 1.0
value = 500.0
sigma = 30.0
"""
SPEC = ga.named_model("Mc17a")


def constraints(text=TABLES):
    return Constraints.of(parse_config(HEAD + text).fit.constraints, SPEC.components)


@pytest.fixture(scope="module")
def found(initial):
    parameters = {name: jnp.asarray(value) for name, value in SPEC.parameters.items()}
    predicted = constraints().predicted(initial.state, initial.ingredients, parameters)
    return dict(zip(constraints().labels, np.asarray(predicted), strict=True))


def test_predictions_are_those_of_the_galaxy(initial, found):
    d = SPEC.parameters["d_sun"]
    v = lambda R: float(initial.circular_velocity(R))  # noqa: E731
    stars = ("thin_disk", "thick_disk", "bulge")
    r200 = initial.virial().r200
    force = [-float(initial.force(R, 1.1)[1]) for R in (7.0, 8.0, 10.0)]
    limited = ga.galaxy.predictions.escape_speed(initial, d, 0.0, 3 * r200)
    expected = [
        *(v(R) for R in (6.0, 8.0, 14.0)),
        1e-9 * float(initial.density("halo", d, 0.0)),
        *(1e-9 * float(initial.density("thin_disk", d, z)) for z in (0.0, 0.5)),
        1e-6 * sum(float(initial.surface_density(name, d, z_max=2.0)) for name in stars),
        *(1e-6 * f / (2 * np.pi * 4.30091727e-6) for f in force),
        *[0.0] * 4,
        *(float(initial.total_potential.enclosed_mass(jnp.asarray(r))) for r in (20.0, 60.0)),
        initial.virial().m200,
        float(limited),
        float(initial.escape_speed(12.0, 1.0)),
    ]
    for (label, value), wanted in zip(found.items(), expected, strict=True):
        if "terminal" not in label:
            assert value == pytest.approx(wanted, rel=1e-5), label


def test_terminal_velocities_are_the_extremes_along_the_line_of_sight(initial, found):
    """From the definition: the largest |v_los| of circular orbits on the line of sight, in the frame of a Sun
    that is taken to move by (10.27, 15.32) km/s."""
    d, (U, V) = SPEC.parameters["d_sun"], (11.10 - 10.27, 12.24 - 15.32)
    s = np.linspace(0.01, 2 * d, 20001)
    for l in (-60.0, -30.0, 30.0, 60.0):  # noqa: E741
        sine, cosine = np.sin(np.radians(l)), np.cos(np.radians(l))
        R = np.sqrt(d**2 + s**2 - 2 * d * s * cosine)
        v0 = float(initial.circular_velocity(d))
        v_los = (np.asarray(initial.circular_velocity(R)) * d / R - v0) * sine
        seen = v_los[np.argmax(v_los * np.sign(sine))] - U * cosine - V * sine
        assert found[f"terminal velocities, l = {l:g}"] == pytest.approx(seen, abs=0.01)


@pytest.mark.slow
def test_all_derivatives_by_the_model_against_finite_differences():
    """Forward through `initial_state`: parameters to potential to predictions."""
    names = ("Sigma0_thin", "R_d_thin", "h_thin", "rho0_halo", "r0_halo", "d_sun", "v_sun")
    start = {**SPEC.parameters, "v_sun": 12.24}
    joined = constraints()

    @jax.jit
    def predicted(scaled):
        parameters = {name: jnp.asarray(value) for name, value in start.items()}
        parameters |= {name: start[name] * scaled[i] for i, name in enumerate(names)}
        ingredients, state = initial_state(SPEC.components, parameters)
        return joined.predicted(State(state.densities, state.actions), ingredients, parameters)

    one = jnp.ones(len(names))
    slopes = np.asarray(jax.jit(jax.jacfwd(predicted))(one))
    value = np.asarray(predicted(one))
    for i, name in enumerate(names):
        steps = {k: np.asarray(predicted(one.at[i].add(k * 1e-3))) for k in (-2, -1, 1, 2)}
        by_differences = (8 * (steps[1] - steps[-1]) - (steps[2] - steps[-2])) / 12e-3
        exact, expected = slopes[:, i] / value, by_differences / value
        assert exact == pytest.approx(expected, rel=1e-5, abs=1e-5 * np.abs(expected).max()), name


def test_a_published_table_enters_without_what_is_suspect():
    text = '[[fit.constraints]]\nkind = "circular_velocity"\ntable = "Ablimit+2020"\nr_max = 18.0\n'
    found = constraints(text + "systematic_fraction = 0.02\n")
    curve = next(c for c in circular_velocity_curves() if c.name == "Ablimit+2020")
    kept = curve.reliable & (curve.R <= 18.0)
    assert kept.sum() == len(curve.R) - 2 == len(found)
    assert found.data == pytest.approx(curve.v_c[kept])
    assert found.sigma == pytest.approx(np.hypot(curve.err_minus[kept], 0.02 * curve.v_c[kept]))
    assert found.labels[0] == "circular velocity of Ablimit+2020, R = 4.56"


def test_residuals_and_chi2_by_name():
    found = constraints()
    off = found.data + 2 * found.sigma
    assert found.residuals(off) == pytest.approx(np.full(len(found), 2.0))
    assert found.chi2(off)["vertical force"] == pytest.approx(12.0)
    assert found.sigma[3] == pytest.approx(np.hypot(0.001, 0.001))
    assert list(found.chi2(off))[-2:] == ["escape speed", "escape speed 2"]
    assert len(Constraints()) == 0
    assert Constraints().residuals(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('kind = "m201"\nvalue = 1.0\nsigma = 1.0', r"fit.constraints.0.kind: found 'm201'.*'m200'"),
        ('kind = "m200"\nsigma = 1.0', "value is missing or empty"),
        ('kind = "m200"\nvalue = 1.0\nsigma = 0.0', "sigma.*greater than 0"),
        (
            'kind = "circular_velocity"\ntable = "Eilers"',
            r"table: unknown name 'Eilers'.*did you mean 'Eilers\+2019'",
        ),
        ('kind = "circular_velocity"\ntable = "Ou+2024"\nR = 3.0', "both a table and points"),
        ('kind = "circular_velocity"\ntable = "Ou+2024"\nr_max = 3.0', "no point lies between"),
        (
            'kind = "circular_velocity"\nR = [3.0, 4.0]\nvalue = [1.0, 2.0, 3.0]\nsigma = 1.0',
            "different lengths",
        ),
        (
            'kind = "local_density"\nof = "halos"\nvalue = 1.0\nsigma = 1.0',
            "no component 'halos'; did you mean 'halo'",
        ),
        ('kind = "terminal_velocities"\nl = 100.0\nvalue = 1.0\nsigma = 1.0', "l = 100 deg has no terminal"),
    ],
)
def test_mistakes_are_said(lines, told):
    with pytest.raises(ConfigError, match=told):
        constraints(f"[[fit.constraints]]\n{lines}\n")
