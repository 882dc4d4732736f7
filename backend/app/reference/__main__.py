"""``python -m app.reference [--check]``: write what is generated into the files under docs/."""

import sys

from app.core.config import ROOT
from app.reference import troubleshooting
from app.reference.blocks import Block, difference, put

REMEDY = "to mend it: just reference"


def main() -> int:
    """Write the blocks; or with ``--check`` show what would change, and fail if anything would."""
    blocks = [Block(ROOT / "docs" / "troubleshooting.md", "checks", troubleshooting.text())]
    if "--check" not in sys.argv[1:]:
        for block in blocks:
            block.file.write_text(put(block), encoding="utf-8")
        return 0
    stale = "".join(map(difference, blocks))
    if stale:
        sys.stderr.write(f"{stale}\n{REMEDY}\n")
    return int(bool(stale))


sys.exit(main())
