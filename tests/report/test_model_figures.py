"""The figures of a built model, as files and in what they show."""

import numpy as np
import pytest

import galactions as ga
from galactions.galaxy.profiles import MASS_RADII
from galactions.report.components import component_styles
from galactions.report.model_figures import write_model_figures
from galactions.report.model_structure import density_figure, mass_figure, shown_stages


def test_a_potential_alone_has_its_rotation_curve(tmp_path):
    galaxy = ga.build("PriceWhelan17", iterations=0)
    (png,) = write_model_figures(galaxy, tmp_path / "figures")
    assert png.name == "circular_velocity.png"
    assert png.read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "figures" / "circular_velocity.svg").is_file()


def test_kinds_of_components_are_told_apart():
    styles = component_styles(ga.named_model("Ca20d"))
    assert styles["thin_disk"]["color"] == styles["thick_disk"]["color"] != styles["HI"]["color"]
    assert styles["thin_disk"]["linestyle"] != styles["thick_disk"]["linestyle"]
    assert len({styles[name]["color"] for name in ("thin_disk", "halo", "HI", "CGM")}) == 4
    looks = [(str(look["color"]), str(look["linestyle"])) for look in styles.values()]
    assert len(set(looks)) == len(looks)


@pytest.mark.slow
class TestOfAModel:
    """Mc17a after one iteration."""

    @pytest.fixture(scope="class")
    @classmethod
    def galaxy(cls):
        return ga.build("Mc17a", iterations=1)

    def test_all_are_written(self, galaxy, tmp_path):
        names = {png.stem for png in write_model_figures(galaxy, tmp_path)}
        assert names == {
            "circular_velocity", "mass", "densities", "surface_densities", "dispersions", "streaming",
            "dispersions_through_the_iterations", "eccentricities",
        }  # fmt: skip
        assert all((tmp_path / f"{name}.svg").stat().st_size > 5000 for name in names)

    def test_masses_through_the_iterations(self, galaxy):
        """Fig. 6: the initial state and the last; their ratio is drawn beside them."""
        assert [label for label, _ in shown_stages(galaxy)] == ["initial", "last, iteration 1"]
        mass, ratio = mass_figure(galaxy).axes
        first, last = (line.get_ydata() for line in mass.lines[:2])
        np.testing.assert_allclose(mass.lines[0].get_xdata(), MASS_RADII)
        np.testing.assert_allclose(ratio.lines[1].get_ydata(), last / first)

    def test_densities_pass_by_the_paper(self, galaxy):
        """Figs. 13 and 14: circles are Table 4, one a component in each panel."""
        plane, above = density_figure(galaxy).axes
        for axes in (plane, above):
            circles = [line for line in axes.lines if line.get_marker() == "o"]
            assert [float(line.get_ydata()[0]) for line in circles] == [
                0.0658,
                0.0038,
                0.0115,
                0.0297,
                0.0120,
            ]
