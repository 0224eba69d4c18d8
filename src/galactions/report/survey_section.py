"""The page's section of the survey: its regions in words and on maps, and the selection of its stars."""

from __future__ import annotations

import re
from typing import Any

from galactions.report import style, tables
from galactions.report.album import Album, Picture
from galactions.report.contents import RunContents
from galactions.report.numbers import count, plural
from galactions.report.sky import SkyRegion, sky_map


def survey_section(run: RunContents) -> dict[str, Any]:
    """How many regions and stars there are, what is left out and why, and the cut flow."""
    survey = run.survey
    out = [item for item in survey.regions if not item.used]
    names = ", ".join(style.OBSERVABLE_NAMES.get(name, name).lower() for name in survey.observables)
    summary = (
        f"{plural(len(survey.regions), 'region')} of the sky, {len(survey.used)} of them used, with "
        f"{count(sum(item.n_stars for item in survey.used))} stars. Observed: {names}."
    )
    reasons: dict[str, list[str]] = {}
    for item in out:
        counted = re.match(r"only \d+ stars?, (.*)", item.reason)
        name = item.region.name + (f" ({count(item.n_stars)})" if counted else "")
        reasons.setdefault(counted[1] + " each" if counted else item.reason, []).append(name)
    for reason, left_out in reasons.items():
        summary += f" Left out by rule, {reason}: {', '.join(left_out)}."
    flow = tables.cut_flow(survey)
    return {"summary": summary, "cut_flow": flow, "cut_notes": any(row["note"] for row in flow)}


def sky_picture(run: RunContents, album: Album) -> Picture:
    """The maps of the regions."""
    items = [SkyRegion(item.region, item.n_stars, item.used) for item in run.survey.regions]
    return album.add(
        "regions",
        sky_map(items, run.d_sun),
        "The survey's regions in Galactic longitude and latitude, from above, and from the side",
        "The regions with their numbers of stars: on the sky, as many maps as it takes for none to lie on "
        "another; seen from above; and from the side. Dotted: regions that are left out.",
    )
