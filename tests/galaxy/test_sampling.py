"""Stars drawn from the DFs: moments, densities, symmetries, reproducibility, files."""

import jax.numpy as jnp
import numpy as np
import pyarrow.parquet as pq
import pytest

from galactions.df.mass import total_mass
from galactions.errors import ModelError
from galactions.galaxy.majorant import judge, make_majorant
from galactions.galaxy.sampling import Sampler
from galactions.galaxy.star_files import COLUMNS, stream, write_stars
from galactions.numerics.quadrature import gauss_legendre

N = 200_000
DISKS = ("thin_disk", "thick_disk")


@pytest.fixture(scope="module")
def sampler(initial):
    return Sampler(initial)


@pytest.fixture(scope="module")
def stars(sampler):
    return sampler.sample(N, seed=3)


def cylindrical(xv):
    """R, |z|, v_R, v_z (upwards positive above the plane) and v_phi > 0 along rotation."""
    x, y, z, v_x, v_y, v_z = xv.T
    R = np.hypot(x, y)
    return R, np.abs(z), (x * v_x + y * v_y) / R, v_z * np.sign(z), (y * v_x - x * v_y) / R


def in_ring(R, z, ring):
    return (ring[0] < R) & (ring[1] > R) & (ring[2] < z) & (ring[3] > z)


RINGS = [(2.0, 3.0, 0.0, 0.2), (7.0, 9.0, 0.0, 0.15), (7.0, 9.0, 0.6, 1.4), (11.0, 14.0, 0.0, 0.5)]
"""R and |z| (kpc) between which stars are compared with integrals of the DF."""


def expected(galaxy, component, ring):
    """Mass (Msun) in the ring, and its mean v_phi, v_R^2, v_z^2 and v_phi^2, by quadrature."""
    R, w_R = gauss_legendre(6, *ring[:2])
    z, w_z = gauss_legendre(5, *ring[2:])
    m = galaxy.velocity_moments(component, R[:, None], z)
    mass = np.asarray(m.density) * 4 * np.pi * (R * w_R)[:, None] * w_z
    squares = (m.mean_v_phi, m.sigma_R**2, m.sigma_z**2, m.sigma_phi**2 + m.mean_v_phi**2)
    return mass.sum(), [float((mass * np.asarray(q)).sum() / mass.sum()) for q in squares]


@pytest.mark.parametrize("ring", RINGS)
@pytest.mark.parametrize("number", [0, 1], ids=DISKS)
def test_moments(initial, stars, number, ring):
    """Within 4.5 standard errors of the sample (and 3e-3 for the quadratures of the moments)."""
    R, z, v_R, v_z, v_phi = cylindrical(stars.xv[stars.component == number])
    inside = in_ring(R, z, ring)
    assert inside.sum() > 150
    _, moments = expected(initial, DISKS[number], ring)
    for values, mean in zip((v_phi, v_R**2, v_z**2, v_phi**2), moments, strict=True):
        error = values[inside].std() / np.sqrt(inside.sum())
        assert values[inside].mean() == pytest.approx(mean, abs=4.5 * error + 3e-3 * mean)


@pytest.mark.parametrize("ring", RINGS)
def test_numbers(initial, stars, ring):
    """Stars of a component in a ring, relative to all: the ratio of the masses by quadrature.

    That of all is an integral over the actions, which the tabulated actions keep to 2e-3.
    """
    total = sum(float(total_mass(initial.df(name))) for name in DISKS)
    R, z, *_ = cylindrical(stars.xv)
    for number, name in enumerate(DISKS):
        mass, _ = expected(initial, name, ring)
        inside = in_ring(R, z, ring)
        found = np.sum(inside & (stars.component == number))
        assert found == pytest.approx(N * mass / total, abs=4.5 * np.sqrt(found), rel=5e-3)


def test_symmetries(stars):
    """Uniform in azimuth; as many above as below the plane; no mean radial or vertical motion."""
    x, y, z, *_ = stars.xv.T
    _, _, v_R, v_z, v_phi = cylindrical(stars.xv)
    azimuth = np.arctan2(y, x)
    for k in (1, 2, 3):
        assert abs(np.exp(1j * k * azimuth).mean()) < 4 / np.sqrt(N)
    assert abs(np.sign(z).mean()) < 4 / np.sqrt(N)
    for v in (v_R, v_z):
        assert abs(v.mean()) < 4 * v.std() / np.sqrt(N)
    assert v_phi.mean() > 150


def test_tilt_of_the_velocity_ellipsoid(stars):
    """The thin disc's long axis points to the centre: above the plane v_R and v_z are correlated, by about
    (z/R) (sigma_R^2 - sigma_z^2)/(sigma_R sigma_z), 0.1 on average here.
    """
    R, z, v_R, v_z, _ = cylindrical(stars.xv[stars.component == 0])
    above = in_ring(R, z, (4.0, 10.0, 0.3, 2.0))
    assert 0.03 < np.corrcoef(v_R[above], v_z[above])[0, 1] < 0.2


@pytest.mark.parametrize("name", ["bulge", "halo"])
def test_spheroids(initial, name):
    """Enclosed mass and radial dispersion between two radii."""
    xv = Sampler(initial, (name,)).sample(50_000, seed=5).xv
    r = np.linalg.norm(xv[:, :3], axis=1)
    low, high = (0.5, 1.5) if name == "bulge" else (10.0, 30.0)
    _, _, v_R, _, v_phi = cylindrical(xv)
    shells = []
    for limits in ((0.25 * low, low), (low, high)):
        radius, w = gauss_legendre(10, *limits)
        c, w_c = gauss_legendre(8, 0.0, 1.0)
        m = initial.velocity_moments(name, radius[:, None] * np.sqrt(1 - c**2), radius[:, None] * c)
        mass = np.asarray(m.density) * 4 * np.pi * (radius**2 * w)[:, None] * w_c
        shells.append((mass.sum(), (mass * np.asarray(m.sigma_R) ** 2).sum() / mass.sum()))
    inner, outer = (r > 0.25 * low) & (r < low), (r > low) & (r < high)
    assert outer.sum() / inner.sum() == pytest.approx(
        shells[1][0] / shells[0][0], rel=4.5 * np.sqrt(1 / inner.sum() + 1 / outer.sum()) + 5e-3
    )
    assert np.mean(v_R[outer] ** 2) == pytest.approx(shells[1][1], rel=4.5 * np.sqrt(2 / outer.sum()) + 5e-3)
    assert abs(v_phi.mean()) < 4.5 * v_phi.std() / np.sqrt(len(v_phi))


def test_majorant_is_above_the_distribution_function(initial):
    """Where it is not, candidates count more than once: next to never."""
    actions, rng = initial.action_table, np.random.default_rng(2)
    majorant = make_majorant(initial.df("thin_disk"), actions)
    size = 1 << 14
    copies = []
    for _ in range(4):
        cell = np.searchsorted(majorant.cumulative, np.sort(rng.random(size)) * majorant.mass)
        numbers = jnp.asarray(cell.astype(np.int32)), jnp.asarray(majorant.bound[cell])
        u = jnp.asarray(rng.random((5, size)))
        certain = jnp.full(size, 1 - 1e-12)
        copies.append(judge(majorant.df, actions, majorant.cells, *numbers, u, certain).copies)
    assert np.mean(np.concatenate(copies) > 1) < 1e-3


def test_a_seed_is_one_sequence(initial, sampler):
    few, many = sampler.sample(1000, seed=7), sampler.sample(120_000, seed=7)
    np.testing.assert_array_equal(many.xv[:1000], few.xv)
    np.testing.assert_array_equal(initial.sample(1000, seed=7), few.xv)
    assert not np.any(sampler.sample(1000, seed=8).xv == few.xv)


def test_files_do_not_depend_on_the_chunk(sampler, tmp_path):
    n = 200_001
    for chunk in (30_000, 1 << 20):
        stream(sampler, tmp_path / f"{chunk}.parquet", n, seed=7, chunk=chunk)
    one, other = (pq.read_table(tmp_path / f"{chunk}.parquet") for chunk in (30_000, 1 << 20))
    assert one.equals(other)
    assert pq.ParquetFile(tmp_path / "30000.parquet").num_row_groups == 7
    stars = sampler.sample(n, seed=7)
    np.testing.assert_array_equal(np.stack([one[name] for name in COLUMNS], axis=1), stars.xv)
    np.testing.assert_array_equal(one["component"], stars.component)
    assert one.schema.metadata[b"galactions.components"] == b"thin_disk,thick_disk"


def test_single_precision_halves_the_file(sampler, tmp_path):
    seen = []
    stream(sampler, tmp_path / "a.parquet", 2000, precision="float32", chunk=500, progress=seen.append)
    assert seen == [500, 1000, 1500, 2000]
    table = pq.read_table(tmp_path / "a.parquet")
    np.testing.assert_array_equal(table["x"], sampler.sample(2000).xv[:, 0].astype("float32"))


def test_from_the_galaxy_to_the_file(initial, sampler, tmp_path, monkeypatch):
    """`write_stars` streams from the galaxy's sampler, which is costly to make: the one at hand stands in."""
    asked = []

    def at_hand(*arguments):
        asked.append(arguments)
        return sampler

    monkeypatch.setattr("galactions.galaxy.star_files.Sampler", at_hand)
    write_stars(initial, tmp_path / "stars.parquet", 100, seed=7)
    assert asked == [(initial, None)]
    table = pq.read_table(tmp_path / "stars.parquet")
    np.testing.assert_array_equal(table["v_z"], sampler.sample(100, seed=7).xv[:, 5])


def test_no_stars(sampler, tmp_path):
    assert sampler.sample(0).xv.shape == (0, 6)
    stream(sampler, tmp_path / "none.parquet", 0)
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0


@pytest.mark.parametrize("n", [-1, 2.5, True])
def test_impossible_numbers(sampler, n):
    with pytest.raises(ModelError, match=r"n = .*must be a whole number, 0 or more"):
        sampler.sample(n)


def test_impossible_components_and_files(initial, sampler, tmp_path):
    with pytest.raises(ModelError, match="'HI' has no distribution function"):
        initial.sample(10, ("HI",))
    with pytest.raises(ModelError, match="name one or more, each once"):
        initial.sample(10, ())
    with pytest.raises(ModelError, match="its folder does not exist"):
        stream(sampler, tmp_path / "nowhere" / "a.parquet", 10)
    with pytest.raises(ModelError, match="must be float64 or float32"):
        stream(sampler, tmp_path / "a.parquet", 10, precision="float16")
    assert not list(tmp_path.iterdir())
