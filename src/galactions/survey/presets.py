"""Column names of catalogues that galactions knows."""

from dataclasses import dataclass

from galactions.survey.stars import UNITS


@dataclass(frozen=True)
class Column:
    """A column of a file and how to bring it to galactions' unit: value * scale + offset."""

    name: str
    scale: float = 1.0
    offset: float = 0.0


PRESETS: dict[str, dict[str, Column]] = {
    # what `write_catalogue` writes; everything but l, b, distance and v_los may be missing
    "galactions": {name: Column(name) for name in (*UNITS, "ident")},
    # Liu et al. (2017), RAA 17, 96, tables 3 and 4: no proper motions, and no error of rv
    "lamost_dr3_rgb": {
        "ident": Column("obsid"),
        "ra": Column("ra"),
        "dec": Column("dec"),
        "l": Column("l"),
        "b": Column("b"),
        "distance": Column("dist"),
        "v_los": Column("rv"),
        "teff": Column("teff"),
        "logg": Column("logg"),
        "feh": Column("feh"),
    },
    # LAMOST DR9 x Gaia DR3 in one field; distances are inverse parallaxes in pc
    "lamost_gaia_field": {
        "ident": Column("source_id"),
        "ra": Column("ra_gaia"),
        "dec": Column("dec_gaia"),
        "l": Column("gal_l"),
        "b": Column("gal_b"),
        "distance": Column("distance_pc", scale=1e-3),
        "v_los": Column("rv"),
        "pm_ra": Column("pmra"),
        "pm_dec": Column("pmdec"),
        "teff": Column("teff"),
        "logg": Column("logg"),
        "feh": Column("feh"),
    },
}
"""For each preset, which column holds which quantity, and the factor to the unit of `UNITS`."""

OPTIONAL_IN_PRESET = {"galactions": frozenset(PRESETS["galactions"]) - {"l", "b", "distance", "v_los"}}
"""Quantities of a preset that its files may lack."""
