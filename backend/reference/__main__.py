"""``python -m reference [--check]``: update the generated blocks in all files."""

import sys

from app.core.errors import UserError
from reference.blocks import difference, wanted
from reference.catalogue import blocks

REMEDY = "these files are out of date; type: just reference"


def main() -> int:
    """Write the blocks. With ``--check``, show the differences and fail if there are any."""
    try:
        texts = wanted(blocks())
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if "--check" not in sys.argv[1:]:
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8")
        return 0
    stale = "".join(difference(file, text) for file, text in texts.items())
    if stale:
        sys.stderr.write(f"{stale}\n{REMEDY}\n")
    return int(bool(stale))


sys.exit(main())
