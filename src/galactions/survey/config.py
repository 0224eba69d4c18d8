"""The `[survey]` table of a configuration file: what may be written in it, with its defaults and limits."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from galactions.survey.distance_ratio import PAPER_RATIOS, POLE_B
from galactions.survey.presets import PRESETS, Column
from galactions.survey.regions import Region, paper_regions
from galactions.survey.source_presets import ASTROMETRY, MISSING, SPECTRA, GaiaRelease
from galactions.survey.sun import Sun
from galactions.survey.table import QUANTITIES

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Pair = Annotated[tuple[float, float], Strict(False)]
Observable = Literal["v_los", "pm_ra", "pm_dec"]
Field_ = Literal[
    "l", "b", "ra", "dec", "distance", "v_los", "pm_ra", "pm_dec",
    "e_v_los", "e_pm_ra", "e_pm_dec", "e_distance", "pm_corr", "parallax", "e_parallax",
    "parallax_pm_ra_corr", "parallax_pm_dec_corr",
    "feh", "teff", "logg", "weight", "ident",
]  # fmt: skip


class _Table(BaseModel):
    """A table of the configuration: fixed, finite numbers only, and no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    close = difflib.get_close_matches(str(key), cls.model_fields, n=1)
                    hint = f" (did you mean {close[0]!r}?)" if close else ""
                    raise ValueError(f"unknown key {key!r}{hint}; allowed are {', '.join(cls.model_fields)}")
        return given


def _ordered(name: str, pair: tuple[float, float] | None) -> None:
    if pair is not None and not pair[0] < pair[1]:
        raise ValueError(f"{name} is {list(pair)}; it must be [lower, upper] with lower < upper")


class ColumnTable(_Table):
    """A column that needs a change of unit: value * scale + offset."""

    name: str = Field(min_length=1)
    scale: float = 1.0
    offset: float = 0.0

    def to_column(self) -> Column:
        """As a `Column`."""
        return Column(self.name, self.scale, self.offset)


def _kind(given: Any) -> str:
    """Text stands for a name, all else for a table: so that an error is told once, not for each reading."""
    return "text" if isinstance(given, str) else "tables"


ColumnEntry = Annotated[
    Annotated[str, Tag("text")] | Annotated[ColumnTable, Tag("tables")], Discriminator(_kind)
]


class Cuts(_Table):
    """Selection of section 2 of the paper.

    A cut that is on by default is applied where the catalogue has the columns it needs, and noted in the
    cut flow where it has not; a cut that the config names needs its columns. `k_giants`: Liu et al. (2014).
    `feh_min`: [Fe/H] above it (dex), `false` for none. `disc_velocities`: the velocity limits of section
    2.2 (km/s; V_phi < 0 along rotation), for which proper motions are needed.
    """

    k_giants: bool = True
    feh_min: float | Literal[False] = -1.0
    disc_velocities: bool = True
    v_R: Pair = (-200.0, 200.0)
    v_phi: Pair = (-350.0, -100.0)
    v_z: Pair = (-150.0, 150.0)
    v_total_max: Positive = 600.0

    @model_validator(mode="after")
    def _limits(self) -> Self:
        for name in ("v_R", "v_phi", "v_z"):
            _ordered(name, getattr(self, name))
        return self


Limit = float | Literal[False]


class Quality(_Table):
    """Quality cuts of section 2, for a sample put together from `spectra` and `astrometry`; `false` for none.

    `snr_g_min`: S/N in g above it; `gof_al_max`, `excess_noise_sig_max`, `ruwe_max`: Gaia's
    astrometric_gof_al, astrometric_excess_noise_sig and ruwe at most this. A cut on by default is noted as
    not applied where its column is missing; one that the config names needs it.
    """

    snr_g_min: Limit = 5.0
    gof_al_max: Limit = 3.0
    excess_noise_sig_max: Limit = 2.0
    ruwe_max: Limit = 1.4


class SourceTable(_Table):
    """`[survey.spectra]` or `[survey.astrometry]`: one catalogue of those that a sample is put together from.

    `file` (of astrometry also the folder of a HATS catalogue, which need not fit into memory: extra `scale`)
    and `preset` (see `galactions.survey.source_presets`); `columns` adds to the preset's columns or
    overrides them. `epoch`: Julian year of the positions, `gaia_release`: of the Gaia source ids ("" for none
    that can be trusted), where they differ from the preset's.
    """

    file: str
    preset: str
    columns: dict[str, ColumnEntry] = {}
    epoch: Annotated[float, Field(gt=1900, lt=2100)] | None = None
    gaia_release: GaiaRelease | None = None
    missing: Annotated[tuple[float, ...], Strict(False)] = MISSING
    trust_units: bool = False

    @field_validator("columns")
    @classmethod
    def _known_quantities(cls, columns: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(columns.keys() - QUANTITIES.keys()):
            raise ValueError(f"found {', '.join(unknown)}; allowed are {', '.join(QUANTITIES)}")
        return columns


class MatchTable(_Table):
    """`[survey.match]`: how the two catalogues are brought together (`galactions.survey.match`).

    `by`: "id", "sky", or "auto": ids where they are sound. `radius`: arcsec.
    """

    by: Literal["auto", "id", "sky"] = "auto"
    radius: Positive = 3.0


class Ratio(_Table):
    """D_photometric / D_parallax towards the disc and the pole."""

    disc: Positive = PAPER_RATIOS["disc"]
    pole: Positive = PAPER_RATIOS["pole"]


RatioEntry = Annotated[
    Annotated[Literal["measure", "none"], Tag("text")] | Annotated[Ratio, Tag("tables")], Discriminator(_kind)
]


class DistanceTable(_Table):
    """`[survey.distance]`: distances of a sample put together from spectra and astrometry (section 2.1).

    `method`: "photometric", or "parallax" (1 / parallax, for relative errors up to
    `max_parallax_fraction`). `zero_point`: correct parallaxes by Lindegren et al. (2021). `magnitudes`: M_K
    from "isochrones" (files or patterns) with a `prior` ("flat", "mass-function", or "plate": that of the
    giants on the same LAMOST plate, as in Carlin et al. 2015), or learnt from "giants" with good parallaxes.
    `extinction`: A_K from a column "a_k", from "ebv", from H and W2 ("rjce"), or "none". `ratio`: photometric
    distances are divided by D_photometric / D_parallax, which is "measure"d by direction in the sample, given
    (`{disc = 0.86, pole = 0.97}` are the paper's), or "none"; directions with |b| >= `pole_b` (deg) are
    polar.
    """

    method: Literal["photometric", "parallax"] = "photometric"
    zero_point: bool = True
    max_parallax_fraction: Positive = 0.2
    magnitudes: Literal["isochrones", "giants"] = "giants"
    isochrones: Annotated[tuple[str, ...], Strict(False)] = ()
    prior: Literal["flat", "mass-function", "plate"] = "flat"
    extinction: Literal["a_k", "ebv", "rjce", "none"] = "none"
    ratio: RatioEntry = "measure"
    pole_b: Annotated[float, Field(gt=0, le=90)] = POLE_B

    @model_validator(mode="after")
    def _isochrones_given(self) -> Self:
        if self.method == "photometric" and (self.magnitudes == "isochrones") != bool(self.isochrones):
            raise ValueError(
                'isochrones (files) and magnitudes = "isochrones" belong together: found only one of them'
            )
        return self


class PlatesTable(_Table):
    """`[survey.plates]`: stars weighted by the inverse selection function of their LAMOST plate.

    `file`: the table (`galactions.survey.plates`), CSV or zipped. It goes by the serial numbers of plates,
    LAMOST's spectra by their names (planid): `information`, the Observed Plate Information Catalog of a
    release, has both; without it the spectra need a column of serial numbers, mapped to `plate`. There must
    be J and K_s magnitudes.
    """

    file: str
    information: str | None = None


class Errors(_Table):
    """Standard errors of all stars, for a catalogue that has no such column: km/s, mas/yr, and d_err / d."""

    v_los: NotNegative | None = None
    pm: NotNegative | None = None
    distance_fraction: NotNegative | None = None


class BinRule(_Table):
    """How the bins of one observable come about: `edges`, or `range` and `width`, or neither (automatic).

    `min_count`: bins are merged, from both ends inwards, until each holds at least so many stars (0: as
    given). Units are those of the observable. See `galactions.survey.bins` for the rules.
    """

    edges: Annotated[tuple[float, ...], Strict(False)] | None = None
    range: Pair | None = None  # shadows the builtin inside this class only
    width: Positive | None = None
    min_count: int = Field(default=20, ge=0)

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.edges is not None:
            if self.range is not None or self.width is not None:
                raise ValueError("give either edges, or range and width, or none of them for automatic bins")
            if len(self.edges) < 2 or any(b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)):
                raise ValueError(
                    f"edges are {list(self.edges)}; they must be two or more numbers that increase"
                )
        if (self.range is None) != (self.width is None):
            raise ValueError("range and width belong together: found only one of them")
        _ordered("range", self.range)
        if self.range and self.width and (self.range[1] - self.range[0]) / self.width > 10_000:
            raise ValueError(f"range {list(self.range)} in bins of {self.width} gives more than 10,000 bins")
        return self


class Bins(_Table):
    """Rules of the three observables."""

    v_los: BinRule = BinRule()
    pm_ra: BinRule = BinRule()
    pm_dec: BinRule = BinRule()


class SunTable(_Table):
    """The Sun that the velocity limits are applied with (as `Sun`); a fitted model brings its own."""

    d: Positive = 8.178
    z: float = 0.0208
    u: float = 11.10
    v: float = 12.24
    w: float = 7.25
    v0: Positive = 232.8

    def to_sun(self) -> Sun:
        """As the pytree that the coordinate transforms take."""
        return Sun(self.d, self.z, self.u, self.v, self.w, self.v0)


class RegionTable(_Table):
    """One `[[survey.regions]]`: l, b in degrees, distance in kpc, each [lower, upper]."""

    name: str
    l: Pair  # noqa: E741
    b: Pair
    distance: Pair
    group: str = ""
    count: int | None = None

    @model_validator(mode="after")
    def _valid(self) -> Self:
        self.to_region()
        return self

    def to_region(self) -> Region:
        """As a `Region`."""
        return Region(self.name, self.l, self.b, self.distance, self.group, self.count)


class Mock(_Table):
    """A survey made from a model instead of read from a file: which number of stars, which errors, which
    seed.

    `counts`: "table" takes each region's own `count`, a number that many stars in every region. Errors as in
    `galactions.survey.ErrorModel`.
    """

    counts: Literal["table"] | Annotated[int, Field(gt=0)] = "table"
    v_los: NotNegative = 5.0
    pm: NotNegative = 0.05
    distance_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.15
    seed: int = Field(default=0, ge=0)


Regions = Annotated[
    Annotated[str, Tag("text")] | Annotated[tuple[RegionTable, ...], Strict(False), Tag("tables")],
    Discriminator(_kind),
]


class SurveyConfig(_Table):
    """The whole `[survey]` table. One of `catalogue` (a file of stars with distances), `spectra` together
    with `astrometry` (two files, matched), and `mock` (stars of a model) says where stars come from.

    `quality`, `match`, `distance` and `plates` belong to `spectra` and `astrometry`. `work`: a folder in
    which finished stages are kept, so that the next run need not do them again.

    `catalogue` may hold environment variables, `${NAME}` or `${NAME:-default}`; a relative path is taken
    from the folder of the configuration file. `columns` says which column of the file is what (a name, or
    name, scale and offset) and overrides the `preset`. `missing`: values that stand for "no value".
    `repeats`: what becomes of rows whose `ident` an earlier row has, "keep" or "drop"; they are counted.
    `v_los_offset` (km/s) is added to every v_los (5.7 for LAMOST: section 2). `regions`: "paper" (Table 1),
    a CSV file, or tables; `paper_regions` adds regions of Table 1 by number. A region with fewer than
    `min_stars` stars is reported and not used.
    """

    catalogue: str | None = None
    preset: str | None = None
    columns: dict[Field_, ColumnEntry] = {}
    missing: Annotated[tuple[float, ...], Strict(False)] = (-9999.0,)
    trust_units: bool = False
    repeats: Literal["keep", "drop"] = "keep"
    mock: Mock | None = None
    spectra: SourceTable | None = None
    astrometry: SourceTable | None = None
    match: MatchTable = MatchTable()
    quality: Quality = Quality()
    distance: DistanceTable = DistanceTable()
    plates: PlatesTable | None = None
    work: str | None = None
    v_los_offset: float = 0.0
    cuts: Cuts = Cuts()
    errors: Errors = Errors()
    sun: SunTable = SunTable()
    regions: Regions = "paper"
    paper_regions: Annotated[tuple[int, ...], Strict(False)] = ()
    observables: Annotated[tuple[Observable, ...], Strict(False)] | None = None
    histogram: Literal["exact", "resampled", "counts"] = "exact"
    bins: Bins = Bins()
    min_stars: int = Field(default=200, ge=1)
    seed: int = Field(default=0, ge=0)

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str | None) -> str | None:
        if name is not None and name not in PRESETS:
            raise ValueError(f"found {name!r}; known presets are {', '.join(sorted(PRESETS))}")
        return name

    @field_validator("paper_regions")
    @classmethod
    def _table1_numbers(cls, numbers: tuple[int, ...]) -> tuple[int, ...]:
        if wrong := [n for n in numbers if not 1 <= n <= len(paper_regions())]:
            raise ValueError(f"found {wrong}; Table 1 has the regions 1 to {len(paper_regions())}")
        return numbers

    @field_validator("observables")
    @classmethod
    def _some_observable(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and (not names or len(set(names)) < len(names)):
            raise ValueError(
                f"found {list(names)}; give each of v_los, pm_ra, pm_dec at most once, and one at least"
            )
        return names

    @field_validator("spectra", "astrometry")
    @classmethod
    def _known_source(cls, source: SourceTable | None, info: ValidationInfo) -> SourceTable | None:
        presets = SPECTRA if info.field_name == "spectra" else ASTROMETRY
        if source is not None and source.preset not in presets:
            raise ValueError(f"preset is {source.preset!r}; known presets are {', '.join(presets)}")
        return source

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.spectra is None) != (self.astrometry is None):
            raise ValueError("spectra and astrometry belong together: found only one of them")
        ways = {"catalogue": self.catalogue, "spectra and astrometry": self.spectra, "mock": self.mock}
        found = [name for name, given in ways.items() if given is not None]
        if len(found) != 1:
            raise ValueError(
                "give either catalogue (a file of stars), or spectra and astrometry (two files, matched), "
                f"or mock (stars of a model): found {' and '.join(found) or 'neither'}"
            )
        return self
