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
    # Hunt & Reffert (2024), A&A 686, A42: open clusters; distances in pc, e_* the errors of means
    "hunt2024": {
        "ident": Column("Name"),
        "ra": Column("RA_ICRS"),
        "dec": Column("DE_ICRS"),
        "l": Column("GLON"),
        "b": Column("GLAT"),
        "distance": Column("dist50", scale=1e-3),
        "v_los": Column("RV"),
        "e_v_los": Column("e_RV"),
        "pm_ra": Column("pmRA"),
        "pm_dec": Column("pmDE"),
        "e_pm_ra": Column("e_pmRA"),
        "e_pm_dec": Column("e_pmDE"),
    },
    # Soubiran et al. (2018), A&A 619, A155: open clusters; distances in pc, and no proper motions
    "soubiran2018": {
        "ident": Column("ID"),
        "ra": Column("RA_ICRS"),
        "dec": Column("DE_ICRS"),
        "distance": Column("dmode", scale=1e-3),
        "v_los": Column("RV"),
        "e_v_los": Column("e_RV"),
    },
    # Gaia DR2 stars with radial velocities, as an extract of gaia_source without errors
    "gaia_dr2_6d": {
        "ra": Column("ra"),
        "dec": Column("dec"),
        "parallax": Column("parallax"),
        "v_los": Column("radial_velocity"),
        "pm_ra": Column("pmra"),
        "pm_dec": Column("pmdec"),
    },
    # APOGEE DR12 x Hipparcos (van Leeuwen 2007)
    "apogee_hipparcos": {
        "ident": Column("APOGEE_ID"),
        "ra": Column("RArad"),
        "dec": Column("DErad"),
        "parallax": Column("Plx"),
        "v_los": Column("VHELIO_AVG"),
        "e_v_los": Column("VERR"),
        "pm_ra": Column("pmRA_1"),
        "pm_dec": Column("pmDE"),
        "e_pm_ra": Column("e_pmRA"),
        "e_pm_dec": Column("e_pmDE"),
        "teff": Column("TEFF"),
        "logg": Column("LOGG"),
        "feh": Column("FE_H"),
    },
    # Vasiliev & Baumgardt (2021), MNRAS 505, 5978: globular clusters
    "vasiliev_baumgardt2021": {
        "ident": Column("Name"),
        "ra": Column("ra"),
        "dec": Column("dec"),
        "distance": Column("dist"),
        "e_distance": Column("disterr"),
        "v_los": Column("vlos"),
        "e_v_los": Column("vloserr"),
        "pm_ra": Column("pmra"),
        "pm_dec": Column("pmdec"),
        "e_pm_ra": Column("pmra_e"),
        "e_pm_dec": Column("pmdec_e"),
        "pm_corr": Column("pmcorr"),
    },
}
"""For each preset, which column holds which quantity, and the factor to the unit of `UNITS`."""

OPTIONAL_IN_PRESET = {"galactions": frozenset(PRESETS["galactions"]) - {"l", "b", "distance", "v_los"}}
"""Quantities of a preset that its files may lack."""
