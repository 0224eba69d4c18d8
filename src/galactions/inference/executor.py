"""Where independent pieces of work are done: in this process one after the other, or by Dask's workers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from galactions.errors import ConfigError

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Does `function(shared, item)` for each item; results come in the order of the items, and are the same
    whoever does the work.

    workers: how many items are in work at a time.
    """

    @property
    def workers(self) -> int: ...

    def map(
        self, function: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]
    ) -> list[Result]: ...


@dataclass(frozen=True)
class SerialExecutor:
    """Does one item after the other in this process."""

    workers: int = 1

    def map(
        self, function: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]
    ) -> list[Result]:
        return [function(shared, item) for item in items]


@dataclass(eq=False)
class DaskExecutor:
    """Hands items to the workers of a `dask.distributed` client; what is shared goes to each of them once,
    also when several calls in a row share it."""

    client: Any
    _scattered: tuple[Any, Any] | None = field(default=None, repr=False)

    @property
    def workers(self) -> int:
        return max(1, sum(self.client.nthreads().values()))

    def map(
        self, function: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]
    ) -> list[Result]:
        if not items:
            return []
        if self._scattered is None or self._scattered[0] is not shared:
            self._scattered = shared, self.client.scatter(shared, broadcast=True, hash=False)
        there = self._scattered[1]
        # pure=False: equal calls are made again, as they would be here.
        futures = [self.client.submit(function, there, item, pure=False) for item in items]
        try:
            return list(self.client.gather(futures))
        except BaseException:
            self.client.cancel(futures)
            raise


@contextmanager
def open_executor(scheduler: str | None = None, workers: int = 1) -> Iterator[Executor]:
    """An executor: serial for no scheduler and one worker, a Dask cluster of `workers` processes on this
    machine for none and several (or "local"), which share its cores and GPUs out among them, else the cluster
    at `scheduler`, as tcp://host:8786.

    On a batch system, start the scheduler and its workers with dask-jobqueue, and give its address. Workers
    have to see the run folder under the same path. Raises ConfigError when Dask is not installed, or the
    scheduler does not answer.
    """
    if workers < 1:
        raise ConfigError(f"--workers {workers}: allowed is a whole number from 1 up")
    if scheduler is None and workers == 1:
        yield SerialExecutor()
        return
    try:
        from distributed import Client, LocalCluster

        from galactions.inference.shares import Shares
    except ImportError:
        raise ConfigError(
            "several workers need Dask, which is not installed: pip install 'galactions[scale]'"
        ) from None
    if scheduler in (None, "local"):
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            client.register_plugin(Shares.of_this_process(workers))
            yield DaskExecutor(client)
        return
    try:
        client = Client(scheduler, timeout=20, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--scheduler {scheduler}: no answer ({error}); allowed: the address of a running Dask "
            "scheduler, as tcp://host:8786, or local"
        ) from None
    with client:
        yield DaskExecutor(client)
