"""The paper's way, counted stars, against the projection."""

import numpy as np
import pytest

import galactions as ga
from galactions.errors import ConfigError

N = 600_000
REGIONS = (
    ga.Region("inwards", (330.0, 390.0), (-30.0, 30.0), (1.0, 3.0)),
    ga.Region("outwards", (140.0, 220.0), (-25.0, 25.0), (0.5, 4.0)),
    ga.Region("above", (0.0, 360.0), (20.0, 90.0), (0.5, 4.0)),
)


EMPTY = ga.Region("empty", (10.0, 10.1), (5.0, 5.1), (0.0, 0.01))


@pytest.fixture(scope="module")
def both(galaxy, edges):
    """By counting, in a region without stars too, and by the projection."""
    counted = ga.predict_by_sampling(galaxy, (*REGIONS, EMPTY), edges, N, seed=2)
    return counted, ga.predict(galaxy, REGIONS, edges, 16384)


def test_agree_within_their_errors(both, edges):
    """chi2 of all bins with 20 or more stars, in each region and observable and in all together."""
    counted, projected = both
    total, degrees = 0.0, 0
    for name in edges:
        for k in range(len(REGIONS)):
            p, q, stars = counted.p[name][k], projected.p[name][k], counted.ess[k]
            bins = q * stars >= 20
            variance = q * (1 - q) / stars + projected.error[name][k] ** 2
            chi2 = np.sum((p - q)[bins] ** 2 / variance[bins])
            assert bins.sum() >= 5
            assert chi2 < bins.sum() + 4.5 * np.sqrt(2 * bins.sum()), f"{name}, {REGIONS[k].name}: {chi2:.1f}"
            total, degrees = total + chi2, degrees + int(bins.sum())
    assert degrees - 4 * np.sqrt(2 * degrees) < total < degrees + 4 * np.sqrt(2 * degrees)


def test_numbers_of_stars_follow_the_mass(both, galaxy):
    """Stars in a region over all stars: the region's mass by quadrature over that of the discs."""
    l, w_l = np.linspace(0.0, 2 * np.pi, 25)[:-1], np.full(24, 2 * np.pi / 24)  # noqa: E741
    x, w = np.polynomial.legendre.leggauss(12)
    low = np.sin(np.radians(20.0))
    s, w_s = 0.5 * (1 + low) + 0.5 * (1 - low) * x, 0.5 * (1 - low) * w
    d, w_d = 2.25 + 1.75 * x, 1.75 * w
    l, s, d = (a.ravel() for a in np.meshgrid(l, s, d, indexing="ij"))  # noqa: E741
    weight = np.einsum("i,j,k->ijk", w_l, w_s, w_d).ravel() * d**2
    across = d * np.sqrt(1 - s**2)
    R = np.hypot(8.11 - across * np.cos(l), across * np.sin(l))
    rho = sum(np.asarray(galaxy.velocity_moments(name, R, np.abs(0.0208 + d * s)).density) for name in DISCS)
    mass = np.sum(weight * rho)
    share = mass / (3.46e10 + 1.09e10)  # of both DFs
    stars = both[0].ess[2]
    assert stars == pytest.approx(N * share, abs=4.5 * np.sqrt(N * share) + 0.01 * N * share)


DISCS = ("thin_disk", "thick_disk")


def test_errors_are_those_of_counts(both, edges):
    counted, _ = both
    p, n = counted.p["v_los"][0], counted.ess[0]
    np.testing.assert_allclose(counted.error["v_los"][0], np.sqrt(p * (1 - p) / n))
    assert p.sum() == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(p * n, np.round(p * n), atol=1e-6)


def test_a_region_without_stars(both):
    assert both[0].ess[3] == 0.0
    assert np.all(np.isnan(both[0].p["v_los"][3]))


def test_bad_questions(galaxy, edges):
    with pytest.raises(ConfigError, match="no regions"):
        ga.predict_by_sampling(galaxy, [], edges, 10)
    with pytest.raises(ConfigError, match="v_log"):
        ga.predict_by_sampling(galaxy, REGIONS, {"v_log": [0, 1]}, 10)


@pytest.mark.slow
def test_a_third_disc_is_seen(edges):
    """Mc17a_three: predictions and stars are of all three discs."""
    three = ga.build("Mc17a_three", iterations=0)
    counted = ga.predict_by_sampling(three, REGIONS[1:2], edges, 200_000)
    projected = ga.predict(three, REGIONS[1:2], edges, 8192)
    p, q = counted.p["v_los"][0], projected.p["v_los"][0]
    bins = q * counted.ess[0] >= 20
    variance = q * (1 - q) / counted.ess[0] + projected.error["v_los"][0] ** 2
    chi2 = np.sum((p - q)[bins] ** 2 / variance[bins])
    assert chi2 < bins.sum() + 4.5 * np.sqrt(2 * bins.sum())
    assert three.spec.stellar_disks == ("thin_disk", "thick_disk", "outer_disk")
