"""Column names of the public catalogues that a sample is put together from: spectra, and astrometry.

LAMOST: the tables of A, F, G and K stars of the low-resolution survey. Each preset tells in its `source` what
its names were checked against. v1.0 tables carry Gaia DR2 source ids, v2.0 tables Gaia DR3 ids as text.
Gaia: the data models of `gaiaedr3.gaia_source` and `gaiadr3.gaia_source`, whose sources and ids are the same.
"""

from dataclasses import dataclass
from typing import Literal

from galactions.survey.presets import Column

GaiaRelease = Literal["dr2", "dr3", ""]

MISSING = (-9999.0, -999.0)
"""Values that stand for "no value" in LAMOST's tables, by published scripts that read them."""


@dataclass(frozen=True)
class SourcePreset:
    """Which column holds which of `QUANTITIES`; those in `optional` may be missing from a file.

    `gaia_release`: the release whose source ids `gaia_id` holds ("dr3" stands for EDR3 and DR3; "" for none
    or unknown). `epoch`: the Julian year that positions refer to. `source`: what the names were checked
    against.
    """

    columns: dict[str, Column]
    optional: frozenset[str]
    gaia_release: GaiaRelease
    epoch: float
    source: str


_LAMOST = {
    "spec_id": "obsid",
    "ra": "ra",
    "dec": "dec",
    "snr_g": "snrg",
    "teff": "teff",
    "e_teff": "teff_err",
    "logg": "logg",
    "e_logg": "logg_err",
    "feh": "feh",
    "e_feh": "feh_err",
    "v_los": "rv",
    "e_v_los": "rv_err",
    "gaia_id": "gaia_source_id",
    "plate": "planid",
}

_GAIA = {
    "gaia_id": "source_id",
    "ra": "ra",
    "dec": "dec",
    "l": "l",
    "b": "b",
    "ecl_lat": "ecl_lat",
    "parallax": "parallax",
    "e_parallax": "parallax_error",
    "pm_ra": "pmra",
    "pm_dec": "pmdec",
    "e_pm_ra": "pmra_error",
    "e_pm_dec": "pmdec_error",
    "parallax_pm_ra_corr": "parallax_pmra_corr",
    "parallax_pm_dec_corr": "parallax_pmdec_corr",
    "pm_corr": "pmra_pmdec_corr",
    "gof_al": "astrometric_gof_al",
    "excess_noise_sig": "astrometric_excess_noise_sig",
    "ruwe": "ruwe",
    "g_mag": "phot_g_mean_mag",
    "nu_eff": "nu_eff_used_in_astrometry",
    "pseudocolour": "pseudocolour",
    "params_solved": "astrometric_params_solved",
    # not in gaia_source: 2MASS and AllWISE, joined on by `galactions survey fetch`
    "j_mag": "j_m",
    "h_mag": "h_m",
    "k_mag": "ks_m",
    "e_k_mag": "ks_msigcom",
    "w2_mag": "w2mpro",
}

_GAIA_NEEDED = frozenset({"gaia_id", "ra", "dec", "pm_ra", "pm_dec", "e_pm_ra", "e_pm_dec"})


def _columns(names: dict[str, str]) -> dict[str, Column]:
    return {quantity: Column(name) for quantity, name in names.items()}


LAMOST_EPOCH = 2005.6
"""Julian year of LAMOST's positions in the mean. They are those of its input catalogues, of several epochs:
in a field of DR9 they differ from Gaia's by -10.4 +- 0.2 years of proper motion, with a scatter of 0.08
arcsec (measured in `tests/survey/test_real_giants.py`)."""


def _lamost(release: GaiaRelease, source: str) -> SourcePreset:
    optional = frozenset({"gaia_id", "plate", "spec_id"})
    return SourcePreset(_columns(_LAMOST), optional, release, LAMOST_EPOCH, source)


_ASSUMED = "assumed to be those of the neighbouring releases: no list of this one was found; checked in part:"

SPECTRA = {
    "lamost_dr8_v1": _lamost(
        "dr2",
        "published scripts that read dr8_v1.0_stellar_LRS: snrg, teff, logg, feh with their errors, "
        "gaia_source_id (Gaia DR2, by the release's description), rv, rv_err; its query form: obsid, "
        "ra, dec. planid is assumed to be called as in DR9 and DR10",
    ),
    "lamost_dr8_v2": _lamost(
        "dr3",
        "published scripts that read dr8_v2.0_LRS_stellar: all but obsid, ra, dec, rv, rv_err and "
        "gaia_source_id, which are those of DR9 and DR10",
    ),
    "lamost_dr9_v1": _lamost("dr2", f"{_ASSUMED} none"),
    "lamost_dr9_v2": _lamost(
        "dr3",
        "published scripts that read dr9_v2.0_LRS_stellar (47 columns): all but planid, which is in an "
        "extract of DR9 that is published",
    ),
    "lamost_dr10_v1": _lamost("dr2", f"{_ASSUMED} none"),
    "lamost_dr10_v2": _lamost("dr3", "the 45 column names of dr10_v2.0_LRS_stellar: all"),
}
"""Catalogues of spectra: the LAMOST LRS tables of A, F, G and K stars."""

_ARCHIVE = "the column lists of gaia_source in the archive: all but those of 2MASS and AllWISE"

ASTROMETRY = {
    "gaia_edr3": SourcePreset(_columns(_GAIA), frozenset(_GAIA) - _GAIA_NEEDED, "dr3", 2016.0, _ARCHIVE),
    "gaia_dr3": SourcePreset(_columns(_GAIA), frozenset(_GAIA) - _GAIA_NEEDED, "dr3", 2016.0, _ARCHIVE),
}
"""Catalogues of astrometry: `gaia_source` of Gaia EDR3 and DR3, whole or cut to the columns that are
needed.
"""
