"""Models of the Galaxy: what they are made of, and how they are made self-consistent."""

from galactions.galaxy.build import build as build
from galactions.galaxy.model import Galaxy as Galaxy
from galactions.galaxy.model import VelocityMoments as VelocityMoments
from galactions.galaxy.model import Virial as Virial
from galactions.galaxy.named import load_model as load_model
from galactions.galaxy.named import named_model as named_model
from galactions.galaxy.named import named_models as named_models
from galactions.galaxy.save import load_galaxy as load_galaxy
from galactions.galaxy.save import save_galaxy as save_galaxy
from galactions.galaxy.spec import ComponentSpec as ComponentSpec
from galactions.galaxy.spec import ModelSpec as ModelSpec
from galactions.galaxy.star_files import write_stars as write_stars
