"""The page's section of posteriors: what each is worth, its table, its corner plot, derived quantities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galactions.inference.progress import duration
from galactions.report import style
from galactions.report.course import component_name
from galactions.report.numbers import count, with_error
from galactions.report.parameter_names import meaning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from galactions.inference.posterior import Bands, PosteriorResult
    from galactions.report.album import Album, Picture

METHOD_WORDS = {
    "laplace": "importance sampling from the normal approximation",
    "emulated": "importance sampling from an emulator's posterior",
    "delayed": "delayed acceptance on an emulator",
    "nuts": "the no-U-turn sampler",
    "ensemble": "the affine-invariant ensemble",
}

DERIVED = {
    "v_circ_sun_kms": ("circular velocity at the Sun", "km/s", 1.0),
    "m200_msun": ("virial mass M200", "10¹² M☉", 1e-12),
    "r200_kpc": ("virial radius r200", "kpc", 1.0),
    "d_sun_kpc": ("distance of the Sun from the Galactic centre", "kpc", 1.0),
}
"""Facts of the galaxy that the table of derived quantities shows: words, unit, factor."""

LOCAL = "local_density_msun_pc3/"
NEGLIGIBLE = 1e-6
"""Local densities below this, Msun/pc^3, are left out."""

MARGIN = 0.75
"""Inches for numbers and names at the left and at the bottom of a corner plot."""

Row = dict[str, str]


def posterior_section(posteriors: Sequence[PosteriorResult], album: Album) -> list[dict[str, Any]]:
    """One entry for each posterior: heading, words, table, corner plot, derived quantities."""
    return [
        {
            "heading": f"By {METHOD_WORDS.get(result.method, result.method)}",
            "reliable": result.reliable,
            "sentences": result.sentences,
            "summary": _summary(result),
            "rows": parameter_rows(result),
            "r_hat": bool(np.isfinite(result.r_hat)),
            "corner": _corner_picture(result, album),
            "derived": [] if result.bands is None else derived_rows(result.bands),
            "bands": "" if result.bands is None else _bands_words(result.bands),
        }
        for result in posteriors
    ]


def shown_bands(posteriors: Sequence[PosteriorResult]) -> Bands | None:
    """The bands that the page's other figures show: those of the reliable posterior with the most effective
    draws; None where there are none."""
    good = [result for result in posteriors if result.reliable and result.bands is not None]
    best = max(good, key=lambda result: result.ess, default=None)
    return None if best is None or best.bands is None or best.bands.draws == 0 else best.bands


def parameter_rows(result: PosteriorResult) -> list[Row]:
    """The table's rows: name, meaning, unit, mean with standard deviation, median, intervals, R-hat, ESS."""
    rows = []
    for row in result.parameters:
        words, unit = meaning(row.name)
        mean, deviation = with_error(row.mean, row.deviation)
        rounded = _rounded_to(row.deviation)
        rows.append(
            {
                "name": row.name,
                "meaning": words,
                "unit": unit,
                "mean": mean,
                "deviation": deviation,
                "median": rounded(row.median),
                "inner": f"{rounded(row.low_68)} to {rounded(row.high_68)}",
                "outer": f"{rounded(row.low_95)} to {rounded(row.high_95)}",
                "r_hat": f"{row.r_hat:.3f}" if np.isfinite(row.r_hat) else "–",
                "ess": count(round(row.ess)) if np.isfinite(row.ess) else "–",
            }
        )
    return rows


def derived_rows(bands: Bands) -> list[Row]:
    """Median and intervals of what the galaxy of each draw tells beyond its parameters, where that varies."""
    rows = []
    for key, (words, unit, factor) in DERIVED.items():
        if key in bands.facts and bands.facts[key].ndim == 1 and np.ptp(bands.facts[key]) > 0:
            rows.append(_derived(words, unit, factor * bands.facts[key]))
    for key, values in bands.facts.items():
        if not key.startswith(LOCAL) or values.ndim != 1:
            continue
        if values[2] > NEGLIGIBLE and np.ptp(values) > 1e-6 * values[2]:
            rows.append(
                _derived(f"density at the Sun: {component_name(key.removeprefix(LOCAL))}", "M☉/pc³", values)
            )
    return rows


def _derived(words: str, unit: str, values: NDArray[np.float64]) -> Row:
    rounded = _rounded_to(0.5 * float(values[3] - values[1]))
    low_95, low_68, median, high_68, high_95 = (rounded(float(value)) for value in values)
    return {
        "words": words,
        "unit": unit,
        "median": median,
        "inner": f"{low_68} to {high_68}",
        "outer": f"{low_95} to {high_95}",
    }


def _rounded_to(error: float) -> Callable[[float], str]:
    """Writes values to the digits that an error of theirs allows."""
    return lambda value: with_error(value, error)[0]


def _summary(result: PosteriorResult) -> str:
    kinds = {
        "value": "of the density",
        "gradient": "with derivatives",
        "curvature": "of the curvature",
        "features": "of the prediction",
        "feature_slopes": "of its derivatives",
    }
    made = ", ".join(f"{count(n)} {kinds.get(kind, kind)}" for kind, n in result.evaluations.items())
    total = sum(result.evaluations.values())
    told = f"Evaluations: {made} ({duration(result.seconds)} in them)."
    if total:
        told += f" {result.ess / total:.2f} effective draws an evaluation."
    if result.acceptance is not None:
        told += f" Mean acceptance {100 * result.acceptance:.0f}%."
    if result.log_evidence is not None and result.log_evidence_error is not None:
        evidence, error = with_error(result.log_evidence, max(result.log_evidence_error, 1e-3))
        told += (
            f" ln evidence {evidence} ± {error} (of the normal approximation alone: "
            f"{result.log_evidence_laplace:.2f})."
        ).replace("-", "−")
    return told


def _bands_words(bands: Bands) -> str:
    failed = f"; {bands.failed} more made no model" if bands.failed else ""
    return f"Quantities derived from the models of {count(bands.draws)} draws{failed}."


def _corner_picture(result: PosteriorResult, album: Album) -> Picture | None:
    figure = corner_figure(result.draws, result.names)
    if figure is None:
        return None
    return album.add(
        f"posterior_{result.method}",
        figure,
        f"Corner plot of the posterior by {result.method}",
        "Posterior densities of each parameter and of each pair (contours: 39%, 68% and 95% of the draws). "
        "Dashed: the median and the central 68% interval.",
        embed="png",
    )


def corner_figure(draws: NDArray[np.float64], names: Sequence[str]) -> Figure | None:
    """Corner plot of draws (k, n); None where the package `corner` is not installed, or no parameter ever
    moved."""
    try:
        import corner
    except ImportError:
        return None
    moved = np.ptp(draws, axis=0) > 0
    if not moved.any():
        return None
    draws = draws[:, moved]
    powers = [_power(float(np.median(np.abs(column)))) for column in draws.T]
    draws = draws / 10.0 ** np.array(powers)
    labels = [
        f"{name} / 1e{power}" if power else name
        for name, power in zip((n for n, yes in zip(names, moved, strict=True) if yes), powers, strict=True)
    ]
    n = len(labels)
    side = min(style.WIDTH, 1.5 + 1.5 * n)
    figure = style.new_figure(side, side)
    figure.subplots(n, n, squeeze=False)
    size = float(np.clip(11.0 - 0.35 * n, 6.0, 10.0))
    limits = [np.quantile(draws[:, i], [0.001, 0.999]) for i in range(n)]
    corner.corner(
        draws,
        fig=figure,
        labels=labels,
        range=[(low - 0.05 * (high - low), high + 0.05 * (high - low)) for low, high in limits],
        bins=24,
        smooth=1.0,
        levels=(0.393, 0.683, 0.954),
        quantiles=(0.16, 0.5, 0.84),
        color=style.MODEL,
        plot_datapoints=False,
        fill_contours=True,
        max_n_ticks=3,
        label_kwargs={"fontsize": size, "color": style.INK, "parse_math": False},
        hist_kwargs={"linewidth": 1.0},
        contour_kwargs={"linewidths": 0.8},
        quiet=True,
    )
    margin = MARGIN / side
    figure.subplots_adjust(left=margin, bottom=margin, right=0.995, top=0.995, wspace=0.06, hspace=0.06)
    panel = (1.0 - margin) * side / n
    for axes in figure.axes:
        axes.tick_params(labelsize=max(size - 2.0, 5.5), colors=style.MUTED, labelcolor=style.INK, length=2.5)
        axes.xaxis.set_label_coords(0.5, -0.85 * MARGIN / panel)
        axes.yaxis.set_label_coords(-0.8 * MARGIN / panel, 0.5)
        for spine in axes.spines.values():
            spine.set_color(style.FAINT)
    return figure


def _power(size: float) -> int:
    """The power of ten that numbers of this size are divided by, so that they fit along an axis."""
    return 0 if 1e-2 <= size < 1e4 else int(np.floor(np.log10(size))) if size > 0 else 0
