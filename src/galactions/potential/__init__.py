"""Densities of the components, Poisson's equation, the total potential and its frequencies."""

from galactions.potential.densities import Disk as Disk
from galactions.potential.densities import Spheroid as Spheroid
from galactions.potential.field import Potential as Potential
from galactions.potential.field import solve_poisson as solve_poisson
