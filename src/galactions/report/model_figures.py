"""The figures of a built model, as files."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from galactions.data.published import circular_velocity_curves
from galactions.report import model_kinematics, model_structure, style
from galactions.report.circular_velocity import ModelCurve, circular_velocity_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from galactions.galaxy import Galaxy


def write_model_figures(galaxy: "Galaxy", folder: str | Path) -> list[Path]:
    """Draws what the paper shows of its models (figs. 5-7, 13-18) into `folder`, and returns the PNG files.

    Each is there as PNG and SVG. A model without DFs has only its curve of circular velocity. The folder is
    made if it does not exist.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Figure] = {"circular_velocity": _circular_velocity(galaxy)}
    if galaxy.ingredients.dfs:
        drawn |= {
            "mass": model_structure.mass_figure(galaxy),
            "densities": model_structure.density_figure(galaxy),
            "surface_densities": model_structure.surface_density_figure(galaxy),
            "dispersions_through_the_iterations": model_kinematics.course_of_dispersions_figure(galaxy),
            "dispersions": model_kinematics.dispersion_figure(galaxy),
            "streaming": model_kinematics.streaming_figure(galaxy),
            "eccentricities": model_kinematics.eccentricity_figure(galaxy),
        }
    for name, figure in drawn.items():
        style.save(figure, folder, name)
    return [folder / f"{name}.png" for name in drawn]


def _circular_velocity(galaxy: "Galaxy") -> "Figure":
    R = np.linspace(0.25, 30.0, 120)
    split = galaxy.circular_velocity_split(R)
    curve = ModelCurve(R, *(np.nan_to_num(np.asarray(part)) for part in split))
    return circular_velocity_figure(curve, circular_velocity_curves(), galaxy.spec.parameters["d_sun"])
