"""Runs the fenced Python blocks of a Markdown file, one after the other in one namespace: python
readme_example.py README.md
"""

import re
import sys
from pathlib import Path

page = Path(sys.argv[1])
blocks = re.findall(
    r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
)
if not blocks:
    sys.exit(f"{page}: no fenced Python block was found")
namespace: dict[str, object] = {"__name__": "__main__"}
for number, block in enumerate(blocks, start=1):
    exec(compile(block, f"{page}, Python block {number}", "exec"), namespace)
print(f"{page}: {len(blocks)} Python block(s) ran")
