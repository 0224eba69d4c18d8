"""Fixed nodes in the space of observables, by which a survey's velocity distributions are computed.

A bin's height is the share of its nodes in sum w_i f_i, where f_i is the model's phase-space density at node
i and w_i a fixed weight. Nodes, bins and weights never change, so the heights are smooth functions of the
model: nothing is drawn anew. The nodes are a few of many more points of a reference model, whose histograms
they reproduce (see `galactions.projection.thinning`).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from galactions.numerics.program import program


class Nodes(eqx.Module):
    """N nodes in K regions, with R replicates and C cells, and all about them that a model does not change.

    seen (6, N): l, b (deg), true distance (kpc), v_los (km/s), mu_alpha*, mu_delta (mas/yr). placed (9, N):
    the same as `heliocentric` coordinates. weight (N,):
    Jacobian and selection over the expected number of nodes there, so that the mass of a region's stars
    (Msun) is the sum of f times it. calibrated (n_observables, N): the same times the factors of
    `calibration`. cells (n_observables, N): where each counts, as replicate times C plus the cell. region
    (N,): which of the K. block_of_cell (C,): see `Bins`. reference (R, C): sums of the reference model over
    the nodes, by replicate; reference_p, reference_error (C,): its histograms from all points, and their
    standard errors.
    """

    seen: Float[Array, "6 N"]
    placed: Float[Array, "9 N"]
    weight: Float[Array, " N"]
    calibrated: Float[Array, "n_observables N"]
    cells: Int[Array, "n_observables N"]
    region: Int[Array, " N"]
    block_of_cell: Int[Array, " C"]
    reference: Float[Array, "R C"]
    reference_p: Float[Array, " C"]
    reference_error: Float[Array, " C"]


class Heights(eqx.Module):
    """What nodes give for a model: `p` (C,), the fraction of its region's stars in each cell; `error` (C,),
    its standard error; `ess` (K,), the effective number of nodes of each region."""

    p: Float[Array, " C"]
    error: Float[Array, " C"]
    ess: Float[Array, " K"]


@program("n_regions")
def heights(nodes: Nodes, f: Float[Array, " N"], n_regions: int) -> Heights:
    """The heights of all cells for a model with the phase-space densities `f` at the nodes.

    The error of a bin has two parts. The nodes' own is the scatter between replicates of their sums, less
    what they share with the reference model's (the linearised error of a ratio: Saerndal, Swensson & Wretman
    1992, section 5.6), so it vanishes at the reference. That of the reference's histograms does not.
    """
    replicates, n_cells = nodes.reference.shape
    sums = jnp.zeros(replicates * n_cells)
    for cells, weight in zip(nodes.cells, nodes.calibrated, strict=True):
        sums = sums.at[cells].add(f * weight)
    groups = sums.reshape(replicates, n_cells)
    mass, reference = groups.sum(axis=0), nodes.reference.sum(axis=0)
    total = jax.ops.segment_sum(mass, nodes.block_of_cell, n_cells)[nodes.block_of_cell]
    p = mass / total
    own = groups - _ratio(mass, reference) * nodes.reference
    variance = replicates / (replicates - 1) * jnp.sum((own / total) ** 2, axis=0)
    variance += (_ratio(p, nodes.reference_p) * nodes.reference_error) ** 2
    w = f * nodes.weight
    squares = jax.ops.segment_sum(w**2, nodes.region, n_regions)
    ess = jax.ops.segment_sum(w, nodes.region, n_regions) ** 2 / squares
    return Heights(p, jnp.sqrt(variance), ess)


def _ratio(a: Array, b: Array) -> Array:
    return jnp.where(b > 0, a / jnp.where(b > 0, b, 1.0), 0.0)
