"""`predict`."""

import numpy as np
import pytest

import galactions as ga
from galactions.errors import ConfigError


def test_two_seeds_agree_within_their_errors(galaxy, boxes, edges):
    one, other = (ga.predict(galaxy, boxes, edges, nodes=4096, seed=seed) for seed in (0, 1))
    pulls = []
    for name in edges:
        for k in range(3):
            bins = one.p[name][k] > 0.005
            assert one.p[name][k].sum() == pytest.approx(1.0, abs=0.01)
            error = np.hypot(one.error[name][k], other.error[name][k])[bins]
            pulls.append((one.p[name][k] - other.p[name][k])[bins] / error)
    assert 0.4 < np.median(np.abs(np.concatenate(pulls))) < 1.3
    assert min(one.ess) > 0.6 * 4 * 4096


@pytest.mark.parametrize(
    ("edges", "told"),
    [({"v_log": [0, 1]}, "v_log"), ({"v_los": [1.0, 0.0]}, "increase"), ({}, "no edges")],
)
def test_bad_edges(galaxy, boxes, edges, told):
    with pytest.raises(ConfigError, match=told):
        ga.predict(galaxy, boxes, edges=edges)


def test_no_regions_and_too_few_nodes(galaxy, boxes, edges):
    with pytest.raises(ConfigError, match="no regions"):
        ga.predict(galaxy, [], edges=edges)
    with pytest.raises(ConfigError, match="at least 2 of each"):
        ga.predict(galaxy, boxes, edges=edges, replicates=1)


@pytest.mark.slow
def test_regions_agree_with_agama(settled, reference):
    """Total variation distance from AGAMA's histograms (70,000 to 200,000 effective stars) below 0.02."""
    edges = {name: reference[f"edges_{name}"] for name in ("v_los", "pm_ra", "pm_dec")}
    found = ga.predict(settled, ga.paper_regions(), edges=edges)
    for name in edges:
        distance = 0.5 * np.abs(np.stack(found.p[name]) - reference[f"hist_{name}"]).sum(axis=1)
        assert distance.max() < 0.02, f"{name}: {np.round(distance, 4)}"
