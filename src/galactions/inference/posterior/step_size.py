"""The step size of Hamiltonian trajectories, learnt from how many of them are accepted."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class DualAveraging:
    """A step size that is drawn to a mean acceptance by dual averaging (Nesterov 2009; section 3.2 of Hoffman
    & Gelman 2014, JMLR 15, 1593).

    step: to be used now; averaged: of the later ones, to be used when adaptation ends. acceptance: the mean
    that is asked for. reach: of the first step, what steps are drawn to as long as they are accepted; pull:
    how hard (mu and gamma there). most: no step is longer.
    """

    step: float
    averaged: float = 1.0
    acceptance: float = 0.8
    reach: float = 10.0
    pull: float = 0.05
    most: float = np.inf
    _mean: float = field(init=False)
    _count: int = field(init=False, default=0)
    _gap: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.averaged = self.step
        self._mean = self._drawn_to()

    def restart(self) -> None:
        """Begins anew from the averaged step size, as after a change of the mass matrix."""
        self.step = self.averaged
        self._mean, self._count, self._gap = self._drawn_to(), 0, 0.0

    def _drawn_to(self) -> float:
        """ln of what steps are drawn to from now on."""
        return float(np.log(min(self.reach * self.step, self.most)))

    def update(self, acceptance: float) -> None:
        """Takes in the acceptance of a trajectory; one that is not finite counts as none."""
        self._count += 1
        accepted = acceptance if np.isfinite(acceptance) else 0.0
        share = 1.0 / (self._count + 10.0)
        self._gap = (1.0 - share) * self._gap + share * (self.acceptance - accepted)
        log_step = min(self._mean - np.sqrt(self._count) / self.pull * self._gap, np.log(self.most))
        weight = self._count**-0.75
        before = np.log(self.averaged) if self._count > 1 else log_step
        self.averaged = float(np.exp(weight * log_step + (1.0 - weight) * before))
        self.step = float(np.exp(log_step))
