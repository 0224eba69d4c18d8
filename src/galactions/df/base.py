"""What every distribution function (DF) offers, whatever its form."""

import abc
from typing import ClassVar

import equinox as eqx
from jaxtyping import Array

from galactions.df.deficit import Deficit


class DistributionFunction(eqx.Module):
    """f(J_r, J_z, J_phi) in Msun / (kpc km/s)^3 for actions in kpc km/s, J_phi > 0 along the rotation.

    A component's mass is (2 pi)^3 int f d^3J (`galactions.df.mass.total_mass`). DFs are pytrees: their
    fields can be traced and differentiated.
    """

    @abc.abstractmethod
    def __call__(self, J_r: Array, J_z: Array, J_phi: Array) -> Array:
        """f at the actions, arrays of shapes that broadcast together."""


class DiskFunction(DistributionFunction):
    """DF of a disc: its stars crowd around the circular orbits of J_phi > 0.

    `prograde` says whether f vanishes for all J_phi < 0, perhaps with a step.
    """

    prograde: ClassVar[bool] = False

    @abc.abstractmethod
    def action_scales(self, L_z: Array) -> tuple[Array, Array]:
        """The scales (kpc km/s) on which f falls with J_r and with J_z near the circular orbit of `L_z` > 0.

        In a potential of epicycle frequencies kappa and nu the stars there have dispersions of about
        sqrt(kappa J_r) and sqrt(nu J_z): the widths that quadrature and sampling start from.
        """


class SpheroidFunction(DistributionFunction):
    """DF of a spheroid: it depends on all actions on one scale, from radial to circular orbits.

    `rotates` says whether f depends on the sign of J_phi.
    """

    rotates: ClassVar[bool] = False

    @abc.abstractmethod
    def action_range(self) -> tuple[Array, Array]:
        """The least and the largest sum of actions (kpc km/s) between which the mass of the DF lies."""


class InvertedFunction(SpheroidFunction):
    """DF of a spheroid, made from its density in a potential; zero where the inversion gives less.

    `deficit` says how much of the component that concerns.
    """

    deficit: eqx.AbstractVar[Deficit]
