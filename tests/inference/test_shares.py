"""What workers of one machine get of it."""

import os

import pytest

from galactions.inference import shares
from galactions.inference.executor import open_executor
from galactions.inference.shares import share, visible_gpus


@pytest.mark.parametrize(("cores", "workers"), [(16, 4), (7, 3), (2, 2), (5, 1)])
def test_each_item_goes_to_one_worker_and_none_has_two_more_than_another(cores, workers):
    each = [share(range(cores), number, workers) for number in range(workers)]
    assert sorted(item for own in each for item in own) == list(range(cores))
    sizes = [len(own) for own in each]
    assert max(sizes) - min(sizes) <= 1


def test_more_workers_than_items_share_them_evenly():
    assert [share("ab", number, 5) for number in range(5)] == [("a",), ("b",), ("a",), ("b",), ("a",)]
    assert share((), 0, 2) == ()


def test_gpus_are_those_that_the_user_has_left_visible(monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 3")
    assert visible_gpus() == ("2", "3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == ()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(shares, "DRIVER", tmp_path)
    for name in ("0000:17:00.0", "0000:65:00.0"):
        (tmp_path / name).mkdir()
    assert visible_gpus() == ("0", "1")
    monkeypatch.setattr(shares, "DRIVER", tmp_path / "none")
    assert visible_gpus() == ()


def seen(_, __):
    """The cores and the GPUs of the process that this runs in, and how many threads JAX is told to have."""
    told = (os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "NPROC"))
    return tuple(sorted(os.sched_getaffinity(0))), *told


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processes cannot be confined to cores here")
def test_local_workers_run_on_cores_and_gpus_of_their_own(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.delenv("NPROC", raising=False)
    mine = os.sched_getaffinity(0)
    with open_executor("local", 2) as executor:
        told = executor.client.run(seen, None, None)
        assert sorted(gpus for _, gpus, _ in told.values()) == ["4", "7"]
        assert {threads for *_, threads in told.values()} == {str(len(mine))}
        # As tasks, which are run by other threads of the worker.
        found = set(executor.map(seen, None, range(8)))
    assert found <= set(told.values())
    one, other = (set(cores) for cores, *_ in told.values())
    assert one | other == mine
    assert len(mine) == 1 or not one & other
