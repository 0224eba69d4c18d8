"""Published tables of stars and clusters with known kinematics, through the readers and the frame."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from galactions.survey import (
    PAPER_SUN,
    Stars,
    Sun,
    cylindrical_velocity,
    read_catalogue,
    sight_line_basis,
)
from galactions.survey.tables import read_columns

Open = Callable[[str], Path]


@pytest.fixture(scope="module")
def data(shared: Path) -> Open:
    def path(name: str) -> Path:
        found = shared / "data" / name
        if not found.is_file():
            pytest.skip(f"needs {found}")
        return found

    return path


def moments(stars: Stars) -> list[float]:
    """Median V_phi and the robust dispersions of V_R, V_phi, V_z with the paper's Sun."""
    velocity = np.asarray(cylindrical_velocity(stars.phase_space(PAPER_SUN)))
    middle = np.median(velocity, axis=0)
    return [middle[1], *1.4826 * np.median(np.abs(velocity - middle), axis=0)]


def test_gaia_stars_within_100_pc(data: Open) -> None:
    path = data("solar_nbhd/astropy_tutorials_gaia_dr2_4096.fits")
    stars, flow = read_catalogue(path, preset="gaia_dr2_6d")
    assert flow.left == 4096
    assert stars.distance.max() < 0.1001
    assert moments(stars) == pytest.approx([-227.3, 32.9, 20.3, 15.0], abs=0.06)


def test_open_clusters_of_hunt_and_reffert(data: Open) -> None:
    path = data("open_clusters/HUNT2024.csv")
    stars, flow = read_catalogue(path, preset="hunt2024")
    assert (flow.cuts[0].left, flow.left) == (5647, 4472)
    columns = read_columns(path, ["Name", "n_RV"])
    known = set(columns["Name"][columns["n_RV"] >= 3])
    stars = stars.select(np.array([name in known for name in np.asarray(stars.ident)]))
    assert len(stars) == 2860
    assert moments(stars) == pytest.approx([-230.6, 16.6, 13.0, 5.9], abs=0.06)
    outer = stars.select((stars.l >= 130) & (stars.l <= 220) & (np.abs(stars.b) < 20))
    assert len(outer) == 581
    assert moments(outer) == pytest.approx([-228.3, 15.6, 9.9, 6.2], abs=0.06)


def test_apogee_hipparcos(data: Open) -> None:
    path = data("apogee_hipparcos/apogee_dr12_v603_x_hipparcos2007.fits")
    stars, flow = read_catalogue(path, preset="apogee_hipparcos")
    assert flow.removed_by("distance is positive") == 126  # negative parallaxes: found and counted
    c = read_columns(path, ["Plx", "e_Plx"])
    kept = c["Plx"] > 0
    assert kept.sum() == len(stars)
    stars = stars.select((c["Plx"] / c["e_Plx"] > 5)[kept] & (np.abs(stars.v_los) < 600))
    assert len(stars) == 1740
    giants = stars.select((np.asarray(stars.logg) > -1) & (np.asarray(stars.logg) < 3.8))
    assert len(giants) == 657


def test_globular_clusters(data: Open) -> None:
    path = data("globular_clusters/vasiliev_baumgardt2021_input.txt")
    stars, flow = read_catalogue(path, preset="vasiliev_baumgardt2021")
    assert (flow.cuts[0].left, flow.removed_by("v_los is known")) == (170, 9)
    velocity = np.asarray(cylindrical_velocity(stars.phase_space(PAPER_SUN)))
    assert -80 < np.median(velocity[:, 1]) < -20  # the system as a whole rotates slowly with the disc


def test_soubiran_clusters_in_their_own_frame(data: Open) -> None:
    """Their X, Y, Z to rounding (0.1 pc) and tilt, their V_R, V_phi, V_z to rounding, with their Sun:
    8.34 kpc from the centre, 14 pc above the plane, 240 km/s.
    """
    path = data("open_clusters/SOUBIRAN2018.csv")
    names = ("RV", "X", "Y", "Z", "U", "V", "W", "Vr", "Vphi", "Vz")
    c = read_columns(path, names)
    stars, flow = read_catalogue(path, preset="soubiran2018")
    assert flow.left == 859
    sun = Sun(d=8.34, z=0.014, u=11.1, v=12.24, w=7.25, v0=240.0)
    east, north = (np.asarray(e) for e in sight_line_basis(stars.l, stars.b)[1:])
    relative = np.stack([c["U"], c["V"], c["W"]], axis=1)
    to_pm = 1 / (4.740470463533349 * stars.distance)
    moving = replace(
        stars, pm_ra=np.sum(relative * east, axis=1) * to_pm, pm_dec=np.sum(relative * north, axis=1) * to_pm
    )
    xv = moving.phase_space(sun)
    place = np.stack([c["X"], c["Y"], c["Z"]], axis=1) / 1000
    # 14 pc over 8.34 kpc of tilt, times distances of up to some kpc, which their frame leaves out
    assert np.all(np.abs(xv[:, :3] - place) < 0.0017 * stars.distance[:, None] + 0.0006)
    ours = np.asarray(cylindrical_velocity(xv))
    published = np.stack([c["Vr"], -c["Vphi"], c["Vz"]], axis=1)
    speed = np.linalg.norm(relative + np.array([11.1, 252.24, 7.25]), axis=1)
    assert np.all(np.abs(ours - published) < 0.02 + 0.0018 * speed[:, None])
    untilted = np.concatenate([place, relative + np.array([11.1, 252.24, 7.25])], axis=1)
    assert np.abs(np.asarray(cylindrical_velocity(untilted)) - published).max() < 0.011
    radial = np.sum(relative * np.asarray(sight_line_basis(stars.l, stars.b)[0]), axis=1)
    assert np.abs(radial - c["RV"]).max() < 0.01
