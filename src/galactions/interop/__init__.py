"""A built galaxy's potential in other programs: AGAMA, galpy, gala."""

from galactions.interop.agama import to_agama as to_agama
from galactions.interop.gala import to_gala as to_gala
from galactions.interop.galpy import to_galpy as to_galpy
