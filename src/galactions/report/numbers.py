"""Numbers as a reader wants to see them in a table."""

import math


def number(value: float | None, digits: int = 4) -> str:
    """A number to at most `digits` significant digits: 63.99, 8.95 × 10⁸, −0.0031, 10¹²; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value != 0 and not _plain(value):
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return _times_power(f"{float(mantissa):.{digits}g}", int(exponent))
    return _minus(f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}")


def with_error(value: float, error: float) -> tuple[str, str]:
    """Value and error to the digits that the error's first two significant ones allow, with one power of ten
    for both: ("63.99", "0.82"), ("1.14 × 10⁷", "0.27 × 10⁷").
    """
    if not (math.isfinite(error) and error > 0):
        return number(value), "–"
    largest = max(abs(value), error)
    if _plain(largest):
        return _minus(f"{value:.{_places(error)}f}"), f"{error:.{_places(error)}f}"
    exponent = math.floor(math.log10(largest))
    unit = 10.0**exponent
    places = _places(error / unit)
    return (
        _times_power(f"{value / unit:.{places}f}", exponent),
        _times_power(f"{error / unit:.{places}f}", exponent),
    )


def count(value: int) -> str:
    """A whole number with thin spaces between thousands, where no line ends: 86 109."""
    return f"{value:,}".replace(",", "\u202f")


def plural(n: int, noun: str) -> str:
    """ "1 region", "17 regions"."""
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def _plain(size: float) -> bool:
    """Whether a number of this size is written without a power of ten."""
    return 1e-3 <= abs(size) < 1e6


def _places(error: float) -> int:
    """Decimal places that show the first two significant digits of an error."""
    return max(0, 1 - math.floor(math.log10(error)))


def _times_power(mantissa: str, exponent: int) -> str:
    power = f"10{_superscript(exponent)}"
    return power if mantissa == "1" else f"{_minus(mantissa)} × {power}"


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
