"""What the models of the paper's Table 2 come out as, against what the paper prints for them.

    python -m benchmarks.paper_models               # all of them and the variants, into docs/paper_models.md
    python -m benchmarks.paper_models Mc17a Ca20d   # some of them, without variants, on the screen
    python -m benchmarks.paper_models --variants    # the variants alone, into the page
    python -m benchmarks.paper_models --keep FILE   # results are kept in FILE, and not made again if there

Takes many minutes: each model is built with ten iterations, as in the paper.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp

import galactions as ga
from benchmarks import halo_of_ca20d
from benchmarks.markdown import table
from galactions.cli.summary import state
from galactions.data.published import PaperResult, paper_result
from galactions.errors import ModelError
from galactions.galaxy import ModelSpec
from galactions.galaxy.components import analytic_densities, total_potential

ITERATIONS = 10
MODELS = ("Wang17", *(f"Mc17{letter}" for letter in "abcdefghijk"), *(f"Ca20{letter}" for letter in "abcde"))
PAGE = Path(__file__).parents[1] / "docs" / "paper_models.md"
TOLERANCES = {"v_circ": 0.02, "m200": 0.05, "density": 0.06}
"""Larger relative differences from the paper are set in bold type."""


@dataclass(frozen=True)
class Outcome:
    """A model before and after each iteration (entries as in `Galaxy.history`), and the paper's row."""

    name: str
    variant: str
    initial: dict[str, Any]
    history: Sequence[dict[str, Any]]
    paper: PaperResult

    @property
    def converged(self) -> dict[str, Any]:
        """The last entry."""
        return self.history[-1]


@dataclass(frozen=True)
class Workshop:
    """Makes outcomes, and keeps them as lines of JSON in a file if there is one."""

    kept: Path | None

    def outcome(
        self, name: str, variant: str = "", change: Callable[[ModelSpec], ModelSpec] | None = None
    ) -> Outcome:
        """The named model, changed and built, or as it was kept."""
        paper = paper_result(name)
        assert paper is not None
        for entry in self._entries():
            if (entry["name"], entry["variant"]) == (name, variant):
                return Outcome(**entry, paper=paper)
        print(f"building {name} {variant}".rstrip(), file=sys.stderr, flush=True)
        spec = ga.named_model(name)
        if change is not None:
            spec = change(spec)
        initial = {"iteration": 0, **state(ga.build(spec, iterations=0), spec.parameters["d_sun"])}
        history: list[dict[str, Any]] = []
        try:
            ga.build(spec, ITERATIONS, progress=history.append)
        except ModelError as error:
            print(error, file=sys.stderr)
        if self.kept is not None:
            line = json.dumps({"name": name, "variant": variant, "initial": initial, "history": history})
            with self.kept.open("a") as file:
                file.write(line + "\n")
        return Outcome(name, variant, initial, history, paper)

    def _entries(self) -> list[dict[str, Any]]:
        if self.kept is None or not self.kept.is_file():
            return []
        return [json.loads(line) for line in self.kept.read_text().splitlines()]


def implicit_contraction(spec: ModelSpec) -> ModelSpec:
    """The halo contracted by the implicit relation instead of its approximation, eq. (11)."""
    components = (
        replace(c, contraction="implicit") if c.density == "contracted" else c for c in spec.components
    )
    return replace(spec, components=tuple(components))


def without(*names: str) -> Callable[[ModelSpec], ModelSpec]:
    """Leaves out components with their parameters."""

    def change(spec: ModelSpec) -> ModelSpec:
        kept = tuple(c for c in spec.components if c.name not in names)
        gone = {p for c in spec.components if c.name in names for ps in c.parameter_names() for p in ps}
        if not any(c.density in ("contracted", "cgm") for c in kept):
            gone.add("f_bar")
        parameters = {name: value for name, value in spec.parameters.items() if name not in gone}
        return replace(spec, components=kept, parameters=parameters)

    return change


def all_matter(spec: ModelSpec) -> ModelSpec:
    """The NFW halo of Table 2 read as all matter of the run without baryons, of which 1 - f_bar is dark."""
    return spec.replace(rho0_halo=(1 - spec.parameters["f_bar"]) * spec.parameters["rho0_halo"])


def as_printed(spec: ModelSpec) -> ModelSpec:
    """Eq. (10) as it is printed: R_c of J_phi alone."""
    return spec.replace(**{f"coef_{J}_{disk}": 0.0 for J in ("jr", "jz") for disk in ("thin", "thick")})


VARIANTS: tuple[tuple[str, str, Callable[[ModelSpec], ModelSpec]], ...] = (
    ("Mc17a", "k_r = k_z = 0", as_printed),
    ("Ca20d", "k_r = k_z = 0", as_printed),
    ("Ca20d", "implicit contraction", implicit_contraction),
    ("Ca20e", "implicit contraction", implicit_contraction),
    ("Mc17k", "implicit contraction", implicit_contraction),
    ("Ca20d", "NFW of all matter", all_matter),
    ("Ca20e", "NFW of all matter", all_matter),
    ("Ca20d", "no CGM", without("CGM")),
    ("Ca20e", "no CGM", without("CGM")),
    ("Wang17", "no gas", without("HI", "H2")),
    ("Wang17", "R_d of McMillan (2011)", lambda spec: spec.replace(R_d_thin=2.89769, R_d_thin_df=2.89769)),
)


def against(value: float, paper: float | None, kind: str) -> str:
    """The relative difference from the paper in percent, bold above the tolerance of its `kind`."""
    if paper is None:
        return ""
    difference = value / paper - 1
    text = f"{100 * difference:+.1f}".replace("-", "−")
    return f"**{text}**" if abs(difference) > TOLERANCES[kind] else text


def masses_and_velocities(outcomes: Sequence[Outcome]) -> str:
    """v_circ and M200, initial and converged, of all models."""
    rows = []
    for o in outcomes:
        row = [o.name + (f", {o.variant}" if o.variant else "")]
        for key, unit, digits, paper, kind in (
            ("v_circ_sun_kms", 1.0, 1, o.paper.v_circ_sun, "v_circ"),
            ("m200_msun", 1e12, 3, o.paper.m200, "m200"),
        ):
            values = [o.initial[key], o.converged[key]]
            row += [f"{value / unit:.{digits}f}" for value in values]
            row += [f"{paper / unit:.{max(digits - 1, 1)}f}", against(values[1], paper, kind)]
        failed = f"fails after {len(o.history)}" if len(o.history) < ITERATIONS else ""
        rows.append([*row, failed or f"{o.converged['residual']:.0e}"])
    compared = ("converged", "paper", "%")
    return table(("model", "v_circ initial", *compared, "M200 initial", *compared, "residual"), rows)


def densities(outcomes: Sequence[Outcome]) -> str:
    """Densities at the Sun of the models of Table 4."""
    rows = []
    for o in outcomes:
        for component, paper in o.paper.density_sun.items():
            before, after = (e["density_sun_msun_pc3"].get(component) for e in (o.initial, o.converged))
            if after is not None:
                label = o.name + (f", {o.variant}" if o.variant else "")
                numbers = [f"{before:.4f}", f"{after:.4f}", f"{paper:.4f}", against(after, paper, "density")]
                rows.append([label, component, *numbers])
    return table(("model", "component", "initial", "converged", "paper", "%"), rows)


def course(o: Outcome) -> str:
    """M200 and v_circ by iteration."""
    chosen = [e for e in (o.initial, *o.history) if e["iteration"] in (0, 1, 2, 3, 6, 10)]
    rows = [
        ("M200 (1e12 Msun)", *(f"{e['m200_msun'] / 1e12:.3f}" for e in chosen)),
        ("v_circ (km/s)", *(f"{e['v_circ_sun_kms']:.1f}" for e in chosen)),
    ]
    return table((f"{o.name}, iteration", *(str(e["iteration"]) for e in chosen)), rows)


def masses_without_the_medium() -> str:
    """M200 of the initial potentials with and without the mass of the circumgalactic medium, and the mass
    within 50 kpc.
    """
    rows = []
    for name in MODELS:
        spec, paper = ga.named_model(name), paper_result(name)
        if all(component.density != "cgm" for component in spec.components):
            continue
        assert paper is not None
        parameters = {key: jnp.asarray(value) for key, value in spec.parameters.items()}
        densities = analytic_densities(spec.components, parameters)
        whole = total_potential(densities.values())
        rest = total_potential(d for key, d in densities.items() if key != "CGM")
        m200 = [float(p.enclosed_mass(p.virial_radius())) for p in (whole, rest)]
        inner = float(whole.enclosed_mass(jnp.asarray(50.0)))
        values = [f"{mass / 1e12:.3f}" for mass in (*m200, inner)]
        rows.append([name, *values, f"{paper.m200 / 1e12:.2f}", against(m200[1], paper.m200, "m200")])
    return table(("model", "M200 of all", "without the CGM", "M(<50 kpc)", "paper's M200", "% without"), rows)


def tables_of_variants(changed: Sequence[Outcome]) -> dict[str, str]:
    """The parts of the page that show the variants."""
    return {
        "variants": masses_and_velocities(changed),
        "densities of variants": densities(changed),
        "halo of Ca20d": halo_of_ca20d.variants(),
    }


def rewrite(page: str, parts: dict[str, str]) -> str:
    """The page with what stands between `<!-- name -->` and `<!-- end -->` replaced by each part."""
    for name, text in parts.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        page, found = re.subn(pattern, lambda m, t=text: f"{m[1]}{t}\n{m[2]}", page, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(
                f"{PAGE}: there must be one '<!-- {name} -->' with its '<!-- end -->', not {found}"
            )
    return page


def main() -> None:
    """Build the models and write, or print, the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *MODELS], help="a model of Table 2")
    parser.add_argument("--keep", type=Path, metavar="FILE")
    parser.add_argument("--variants", action="store_true", help="the variants alone, into the page")
    options = parser.parse_args()
    workshop = Workshop(options.keep)
    if options.variants:
        changed = [workshop.outcome(*variant) for variant in VARIANTS]
        PAGE.write_text(rewrite(PAGE.read_text(), tables_of_variants(changed)))
        return
    outcomes = [workshop.outcome(name) for name in options.names or MODELS]
    if options.names:
        print(masses_and_velocities(outcomes), densities(outcomes), sep="\n\n")
        return
    changed = [workshop.outcome(*variant) for variant in VARIANTS]
    parts = {
        "masses and velocities": masses_and_velocities(outcomes),
        "densities": densities(outcomes),
        **tables_of_variants(changed),
        "without the medium": masses_without_the_medium(),
        "course": course(next(o for o in outcomes if o.name == "Ca20d")),
    }
    PAGE.write_text(rewrite(PAGE.read_text(), parts))
    print(f"{PAGE}: {len(outcomes)} models, {len(changed)} variants")


if __name__ == "__main__":
    main()
