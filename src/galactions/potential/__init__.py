"""Densities of the components, Poisson's equation, the total potential and its frequencies."""

from galactions.potential.circumgalactic import CircumgalacticMedium as CircumgalacticMedium
from galactions.potential.contraction import ContractedHalo as ContractedHalo
from galactions.potential.densities import Disk as Disk
from galactions.potential.densities import Spheroid as Spheroid
from galactions.potential.field import Potential as Potential
from galactions.potential.field import solve_poisson as solve_poisson
from galactions.potential.miyamoto_nagai import MiyamotoNagai as MiyamotoNagai
