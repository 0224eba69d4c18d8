"""The page's section of the model: what it is, its circular velocity, and its self-consistent iteration."""

from __future__ import annotations

import numpy as np

from galactions.data.published import circular_velocity_curves
from galactions.errors import GalactionsError
from galactions.report.album import Album, Picture
from galactions.report.circular_velocity import ModelCurve, VelocityBand, circular_velocity_figure
from galactions.report.contents import RunContents
from galactions.report.course import iteration_figure
from galactions.report.posterior import shown_bands


def model_words(run: RunContents) -> str:
    """What the named model is that the fit began from; empty for one that this version does not know."""
    from galactions.galaxy import named_model

    try:
        spec = named_model(run.model)
    except GalactionsError:
        return ""
    first, rest = spec.summary[:1], spec.summary[1:]
    words = f"The fit began from {run.model}: {first.lower() if rest[:1].islower() else first}{rest}."
    if spec.stellar_disks:
        words += (
            " Its stars and its dark matter are distribution functions of the actions, in the potential that "
            "they and the gas make together."
        )
    return words


def circular_velocity_picture(run: RunContents, album: Album) -> Picture:
    """The circular velocity of the model, where there is one, and the published ones."""
    galaxy = run.galaxy
    curve = None
    if galaxy.get("R_kpc"):
        baryons, halo = (
            np.array(galaxy[key], dtype=float) if galaxy.get(key) else None
            for key in ("v_circ_baryons_kms", "v_circ_halo_kms")
        )
        curve = ModelCurve(
            np.array(galaxy["R_kpc"]), np.array(galaxy["v_circ_kms"], dtype=float), baryons, halo
        )
    bands = shown_bands(run.posteriors)
    band = None
    if bands is not None and {"R_kpc", "v_circ_kms"} <= set(bands.facts):
        band = VelocityBand(bands.facts["R_kpc"][2], bands.facts["v_circ_kms"])
    published = circular_velocity_curves()
    caption = "Published circular-velocity curves; statistical errors only."
    if curve is not None:
        caption = (
            "Left: circular velocity of the model and its parts; small dots: the published points. Right: "
            "the published points enlarged; statistical errors only."
        )
    if band is not None:
        caption += " Bands: the central 68% and 95% of the posterior."
    return album.add(
        "circular_velocity",
        circular_velocity_figure(curve, published, run.d_sun, band),
        "Circular velocity against radius: model and published curves",
        caption,
    )


def iteration_picture(run: RunContents, album: Album) -> Picture | None:
    """The iteration of the final model; None where none is recorded."""
    history = run.galaxy.get("history")
    if not isinstance(history, list) or not history:
        return None
    return album.add(
        "iterations",
        iteration_figure(history, run.galaxy.get("initial")),
        "Residual, circular velocity, virial mass and local densities by iteration",
        "The self-consistent iteration of the final model: the largest relative change of the force from one "
        "iteration to the next, and what it does to the circular velocity, the virial mass and the densities "
        "at the Sun." + (" Iteration 0 is the initial potential." if run.galaxy.get("initial") else ""),
    )
