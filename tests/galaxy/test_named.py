"""The named models: the paper's Table 2 number by number, and what holds of every model."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import galactions as ga
from galactions.errors import ModelError
from galactions.galaxy.components import analytic_densities, total_potential
from galactions.galaxy.spec import ComponentSpec, ModelSpec
from galactions.potential.spherical import mass_within, spherical_mean

TABLE2 = [
    "Wang17", *(f"Mc17{letter}" for letter in "abcdefghijk"), *(f"Ca20{letter}" for letter in "abcde")
]  # fmt: skip
POTENTIALS = ["McMillan17", "Piffl14", "MWPotential2014", "PriceWhelan17", "Cautun20"]
COLUMNS = {
    "Sigma0_thin": "Sigma0_thin_msun_kpc2", "R_d_thin": "Rd_thin_kpc", "h_thin": "h_thin_kpc",
    "Sigma0_thick": "Sigma0_thick_msun_kpc2", "R_d_thick": "Rd_thick_kpc", "h_thick": "h_thick_kpc",
    "rho0_halo": "rho0_halo_msun_kpc3", "r0_halo": "r0_halo_kpc", "d_sun": "d_sun_kpc",
    "sigma_r0_thin": "sigma_r0_thin_kms", "sigma_z0_thin": "sigma_z0_thin_kms",
    "R_sigma_thin": "R_sigma_thin_kpc", "sigma_r0_thick": "sigma_r0_thick_kms",
    "sigma_z0_thick": "sigma_z0_thick_kms", "R_sigma_thick": "R_sigma_thick_kpc",
}  # fmt: skip


def test_all_are_there():
    assert set(TABLE2 + POTENTIALS) <= set(ga.named_models())


@pytest.mark.parametrize("name", ga.named_models())
def test_each_says_what_it_is_and_whence(name):
    spec = ga.named_model(name)
    assert len(spec.summary) > 20
    assert "\n" not in spec.summary
    assert any(character.isdigit() for character in spec.source)


@pytest.mark.parametrize("name", TABLE2)
def test_parameters_are_those_of_table_2(name, shared):
    with (shared / "paper" / "table2_models.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["model"] == name)
    spec = ga.named_model(name)
    for parameter, column in COLUMNS.items():
        assert spec.parameters[parameter] == float(row[column]), parameter
    for disk in ("thin", "thick"):
        radius = spec.parameters.get(f"R_d_{disk}_df", spec.parameters[f"R_d_{disk}"])
        assert radius == float(row[f"Rd_{disk}_df_kpc"])
    kinds = {component.name: component.density for component in spec.components}
    assert kinds["halo"] == {"nfw": "spheroid", "contracted": "contracted"}[row["halo"]]
    assert ("CGM" in kinds) == (row["cgm"] == "yes")


@pytest.mark.parametrize("name", POTENTIALS)
def test_potentials_alone_have_no_distribution_function(name):
    assert all(component.df is None for component in ga.named_model(name).components)


@pytest.fixture(scope="module")
def analytic():
    """The analytic densities and their potential, without tables of actions."""

    def of(name):
        spec = ga.named_model(name)
        parameters = {key: jnp.asarray(value) for key, value in spec.parameters.items()}
        densities = jax.jit(lambda p: analytic_densities(spec.components, p))(parameters)
        return spec, densities, total_potential(densities.values())

    return of


@pytest.mark.parametrize(
    "name, v_circ, m200, dark",
    [
        ("Ca20a", 233.6, 0.93, None),
        ("Ca20b", 235.3, 0.90, None),
        ("Ca20d", 230.7, 1.04, 0.0086),
        ("Ca20e", 227.7, 0.92, 0.0083),
        ("Mc17k", 228.7, 0.41, 0.0062),
    ],
)
def test_initial_potentials_with_medium_or_contraction(analytic, name, v_circ, m200, dark):
    """Against an independent evaluation of eqs. (11)-(13): km/s, 1e12 Msun, Msun/pc^3."""
    spec, densities, potential = analytic(name)
    d_sun = jnp.asarray(spec.parameters["d_sun"])
    assert float(potential.circular_velocity(d_sun)) == pytest.approx(v_circ, abs=0.1)
    r200 = potential.virial_radius()
    assert 1e-12 * float(potential.enclosed_mass(r200)) == pytest.approx(m200, abs=0.006)
    if "CGM" in densities:
        assert float(densities["CGM"].r200) == pytest.approx(float(r200), rel=1e-5)
    if dark is not None:
        assert 1e-9 * float(densities["halo"].density(d_sun, 0.0)) == pytest.approx(dark, abs=6e-5)


@pytest.mark.parametrize("relation, tolerance", [("fitted", 0.11), ("implicit", 0.06)])
def test_contraction_as_the_paper_tells_it(relation, tolerance):
    """Section 3.4: the enclosed dark mass is raised by about 1.3, 2 and 4 at 20, 8 and 1 kpc.

    The formula of eq. (11) gives 1.28, 1.79 and 3.82, the implicit relation 1.33, 1.89 and 4.07.
    """
    spec = ga.named_model("Cautun20")
    components = tuple(
        ComponentSpec(c.name, c.suffix, c.density, cutoff=c.cutoff, contraction=relation)
        for c in spec.components
    )
    densities = analytic_densities(components, {k: jnp.asarray(v) for k, v in spec.parameters.items()})
    halo = densities["halo"]
    ratio = mass_within(spherical_mean(halo)) / mass_within(spherical_mean(halo.uncontracted))
    x = np.log([20.0, 8.0, 1.0])
    found = np.interp(x, halo.log_boost.axis.nodes, np.asarray(ratio))
    np.testing.assert_allclose(found, [1.3, 2.0, 4.0], rtol=tolerance)


def test_nothing_to_iterate_without_distribution_functions():
    galaxy = ga.build("PriceWhelan17", iterations=3)
    assert galaxy.iterations == 0
    assert galaxy.history == ()
    with pytest.raises(ModelError, match="there is none"):
        galaxy.df("disk")


class TestRefused:
    """Structures and values that no model can have."""

    def of(self, **values):
        return ga.named_model("Ca20d").replace(**values)

    def test_fraction_of_baryons(self):
        with pytest.raises(ModelError, match=r"f_bar = 1.2: .*below 1"):
            self.of(f_bar=1.2)

    def test_exponent_of_the_medium(self):
        with pytest.raises(ModelError, match=r"beta_CGM = -3.5: must be between -3 and 0"):
            self.of(beta_CGM=-3.5)

    def test_medium_heavier_than_the_galaxy(self):
        with pytest.raises(ModelError, match=r"A_CGM = 5.0: .*virial mass; lower A or f_bar"):
            self.of(A_CGM=5.0)

    def test_two_contracted_halos(self):
        halo = next(c for c in ga.named_model("Ca20d").components if c.name == "halo")
        twin = ComponentSpec("twin", "halo", "contracted")
        values = {name: value for name, value in self.of().parameters.items() if name.endswith("_halo")}
        with pytest.raises(ModelError, match="halo and twin are 'contracted'; there can be one at most"):
            ModelSpec("two", (halo, twin), {**values, "d_sun": 8.2, "f_bar": 0.157})

    def test_distribution_function_of_a_fixed_density(self):
        disk = ComponentSpec("disk", "disk", "miyamoto_nagai", df="quasi_isothermal")
        values = {"M_disk": 1e10, "a_disk": 3.0, "b_disk": 0.3, "d_sun": 8.0}
        values |= {"sigma_r0_disk": 40.0, "sigma_z0_disk": 40.0, "R_sigma_disk": 9.0}
        values |= {"Sigma0_disk": 5e8, "R_d_disk": 3.0}
        with pytest.raises(ModelError, match="'miyamoto_nagai', which no DF follows"):
            ModelSpec("one", (disk,), values)
