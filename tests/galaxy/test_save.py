"""A galaxy written to a file and read back is the same galaxy."""

import dataclasses

import h5py
import jax
import numpy as np
import pytest

from galactions.errors import ModelError
from galactions.galaxy.save import load_galaxy, save_galaxy


@pytest.mark.parametrize("which", ["initial", "settled"])
def test_nothing_is_lost(request, tmp_path, which):
    galaxy = request.getfixturevalue(which)
    path = tmp_path / "galaxy.h5"
    save_galaxy(galaxy, path)
    again = load_galaxy(path)
    assert again.spec == galaxy.spec
    assert again.iterations == galaxy.iterations
    assert again.history == galaxy.history
    assert again.initial == galaxy.initial
    ours, theirs = ((g.ingredients, g.state) for g in (galaxy, again))
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_array_equal(one, other)
    R, z = np.array([0.5, 8.0, 30.0]), 0.3
    np.testing.assert_array_equal(galaxy.potential(R, z), again.potential(R, z))
    np.testing.assert_array_equal(galaxy.density("thin_disk", R, z), again.density("thin_disk", R, z))
    assert not list(tmp_path.glob("*.part"))


def test_changed_parameters_survive(tmp_path, initial):
    galaxy = dataclasses.replace(initial, spec=initial.spec.replace(d_sun=8.2))
    save_galaxy(galaxy, tmp_path / "galaxy.h5")
    assert load_galaxy(tmp_path / "galaxy.h5").spec.changed == ("d_sun",)


class TestWhatIsNoGalaxy:
    def test_no_file(self, tmp_path):
        with pytest.raises(ModelError, match=r"none\.h5: no such file"):
            load_galaxy(tmp_path / "none.h5")

    def test_no_hdf5(self, tmp_path):
        (tmp_path / "text.h5").write_text("Sun et al.")
        with pytest.raises(ModelError, match="not a galaxy file"):
            load_galaxy(tmp_path / "text.h5")

    def test_other_hdf5(self, tmp_path):
        with h5py.File(tmp_path / "other.h5", "w") as file:
            file["x"] = [1.0]
        with pytest.raises(ModelError, match="not a galaxy written by save_galaxy"):
            load_galaxy(tmp_path / "other.h5")

    def test_other_version(self, tmp_path, initial):
        path = tmp_path / "galaxy.h5"
        save_galaxy(initial, path)
        with h5py.File(path, "a") as file:
            file.attrs["version"] = 99
        with pytest.raises(ModelError, match="version 99 of the format"):
            load_galaxy(path)

    def test_other_parts(self, tmp_path, initial):
        path = tmp_path / "galaxy.h5"
        save_galaxy(initial, path)
        with h5py.File(path, "a") as file:
            group = file["arrays"]
            del group[next(iter(group))]
        with pytest.raises(ModelError, match="build the model again"):
            load_galaxy(path)

    def test_folder_that_does_not_exist(self, tmp_path, initial):
        with pytest.raises(ModelError, match="cannot be written"):
            save_galaxy(initial, tmp_path / "nowhere" / "galaxy.h5")
