"""What the model's parameters mean, in words and units."""

_MEANINGS = {
    "Sigma0": ("central surface density", "M☉/kpc²"),
    "R_d": ("scale length", "kpc"),
    "h": ("scale height", "kpc"),
    "sigma_r0": ("radial velocity dispersion at R = 0", "km/s"),
    "sigma_z0": ("vertical velocity dispersion at R = 0", "km/s"),
    "R_sigma": ("scale length of the dispersions", "kpc"),
    "rho0": ("density scale", "M☉/kpc³"),
    "r0": ("scale radius", "kpc"),
    "r_cut": ("cut-off radius", "kpc"),
    "R_cut": ("radius of the central hole", "kpc"),
    "q": ("axis ratio", ""),
    "gamma": ("inner slope", ""),
    "beta": ("outer slope", ""),
    "alpha": ("sharpness of the turn between the slopes", ""),
    "d_sun": ("distance of the Sun from the Galactic centre", "kpc"),
    "z_sun": ("height of the Sun above the plane", "kpc"),
    "u_sun": ("motion of the Sun towards the Galactic centre", "km/s"),
    "v_sun": ("motion of the Sun along the rotation, beyond the circular velocity", "km/s"),
    "w_sun": ("motion of the Sun to the north Galactic pole", "km/s"),
    "v0_sun": ("circular velocity at the Sun", "km/s"),
    "distance_scale": ("true distances over those of the catalogue", ""),
    "coef_jr": ("weight of J_r in the radius of the dispersions", ""),
    "coef_jz": ("weight of J_z in the radius of the dispersions", ""),
}

_COMPONENTS = {
    "thin": "thin disc",
    "thick": "thick disc",
    "bulge": "bulge",
    "halo": "dark halo",
    "HI": "atomic gas",
    "H2": "molecular gas",
    "CGM": "circumgalactic gas",
    "thin_df": "thin disc, distribution function",
    "thick_df": "thick disc, distribution function",
}


def meaning(name: str) -> tuple[str, str]:
    """Words and unit of a parameter: "sigma_r0_thin" -> ("thin disc: radial velocity dispersion at R = 0",
    "km/s").

    Two empty strings for a name that is not known.
    """
    for stem in sorted(_MEANINGS, key=len, reverse=True):
        words, unit = _MEANINGS[stem]
        if name == stem:
            return words, unit
        component = _COMPONENTS.get(name.removeprefix(f"{stem}_"))
        if name.startswith(f"{stem}_") and component:
            return f"{component}: {words}", unit
    return "", ""
