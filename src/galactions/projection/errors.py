"""The errors of measurement through which a model is seen."""

from dataclasses import dataclass

import numpy as np

from galactions.errors import ConfigError


@dataclass(frozen=True)
class RegionErrors:
    """Normal errors of a region's stars: `v_los` (km/s), `pm_ra`, `pm_dec` (mas/yr), and of the distance as a
    fraction of it."""

    v_los: float = 0.0
    pm_ra: float = 0.0
    pm_dec: float = 0.0
    distance_fraction: float = 0.0

    def __post_init__(self) -> None:
        for name in ("v_los", "pm_ra", "pm_dec", "distance_fraction"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ConfigError(f"error {name} of a region is {value}; it must be a number, 0 or more")
