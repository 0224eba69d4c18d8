"""The potential in AGAMA: the files, and, where AGAMA is at hand, what it makes of them."""

import numpy as np
import pytest

from galactions.errors import ModelError
from galactions.interop import to_agama


def test_files_hold_the_potential(initial, tmp_path):
    """The blocks of the file of coefficients, read as AGAMA does: grids in first row and column."""
    path = to_agama(initial, tmp_path / "out")
    assert f"file={(tmp_path / 'out' / 'potential.coef').resolve()}" in path.read_text()
    lines = (tmp_path / "out" / "potential.coef").read_text().splitlines()
    sizes = dict(line.split("=") for line in lines[1 : lines.index("Coefficients")])
    n_R, n_z = int(sizes["gridSizeR"]), int(sizes["gridSizez"])
    blocks = {}
    for name in ("Phi", "dPhi/dR", "dPhi/dz"):
        begin = lines.index(f"#{name}") + 1
        assert lines[begin] == "0\t#m"
        z = np.array(lines[begin + 1].split("\t")[1:], float)
        rows = np.array([line.split("\t") for line in lines[begin + 2 : begin + 2 + n_R]], float)
        assert rows.shape == (n_R, n_z + 1)
        blocks[name] = rows[:, 0], z, rows[:, 1:]
    for R, z, _ in blocks.values():
        assert R[0] == z[0] == 0
        assert np.all(np.diff(R) > 0)
        assert np.all(np.diff(z) > 0)
    R, z, values = blocks["Phi"]
    R, z = R[:, None] + 0 * z, 0 * R[:, None] + z
    np.testing.assert_allclose(values, initial.potential(R, z), rtol=1e-12)
    F_R, F_z = initial.force(R, z)
    np.testing.assert_allclose(blocks["dPhi/dR"][2], -np.asarray(F_R), rtol=1e-8, atol=1e-7)
    np.testing.assert_allclose(blocks["dPhi/dz"][2], -np.asarray(F_z), rtol=1e-8, atol=1e-7)


def test_folder_that_cannot_be_made(initial, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be made a folder"):
        to_agama(initial, tmp_path / "file")


def test_agama_reads_it(initial, tmp_path):
    agama = pytest.importorskip("agama", reason="needs AGAMA")
    agama.setUnits(length=1, velocity=1, mass=1)
    potential = agama.Potential(str(to_agama(initial, tmp_path)))
    R, z = (a.ravel() for a in np.meshgrid([0.3, 1.0, 4.0, 8.11, 20.0, 100.0], [0.0, 0.2, 1.0, 5.0]))
    points = np.stack([R, 0 * R, z], axis=1)
    np.testing.assert_allclose(potential.potential(points), initial.potential(R, z), rtol=1e-6)
    ours = np.stack([np.asarray(F) for F in initial.force(R, z)], axis=1)
    error = np.linalg.norm(potential.force(points)[:, [0, 2]] - ours, axis=1) / np.linalg.norm(ours, axis=1)
    assert np.max(error) < 1e-3
    v_circ = np.sqrt(-R * potential.force(np.stack([R, 0 * R, 0 * R], axis=1))[:, 0])
    np.testing.assert_allclose(v_circ, initial.circular_velocity(R), rtol=1e-4)
