"""Numbers as a reader wants to see them in a table."""

import math


def number(value: float | None, digits: int = 4) -> str:
    """A number to `digits` significant digits: 63.99, 8.95 × 10⁸, −0.0031; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_minus(mantissa)} × 10{_superscript(int(exponent))}"
    return _minus(f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}")


def with_error(value: float, error: float) -> tuple[str, str]:
    """Value and error to the digits that the error's first two significant ones allow: ("63.99", "0.82")."""
    if not (math.isfinite(error) and error > 0):
        return number(value), "–"
    if not 1e-3 <= max(abs(value), error) < 1e6:
        return number(value), number(error, 2)
    places = max(0, 1 - math.floor(math.log10(error)))
    return _minus(f"{value:.{places}f}"), f"{error:.{places}f}"


def count(value: int) -> str:
    """A whole number with thin spaces between thousands: 86 109."""
    return f"{value:,}".replace(",", "\u2009")


def plural(n: int, noun: str) -> str:
    """ "1 region", "17 regions"."""
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
