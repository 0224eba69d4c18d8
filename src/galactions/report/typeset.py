"""Words of the page with the signs that plain text has not."""

import re

from markupsafe import Markup, escape

_SIGNS = {"M☉": "M<sub>☉</sub>", "M200": "M<sub>200</sub>", "r200": "r<sub>200</sub>"}


def typeset(text: str) -> Markup:
    """Escaped text in which solar masses, M200 and r200 have their subscripts and χ², but in names of files,
    its letter.
    """
    shown = re.sub(r"\bchi2\b(?!\.)", "χ²", str(escape(text)))
    for sign, html in _SIGNS.items():
        shown = shown.replace(sign, html)
    return Markup(shown)
