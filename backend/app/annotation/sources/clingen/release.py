import hashlib
import re

from app.annotation.upstream.cache import Download
from app.annotation.upstream.release import Release

_DATED = re.compile(rb'"?FILE CREATED: (\d{4}-\d{2}-\d{2})|#\d{1,2} [A-Z][a-z]{2}, ?\d{4}')


def release_of_rows(validity: Download, dosage: Download) -> Release:
    """Return the day of the validity curations, and a digest of both files without their days."""
    digest, day = hashlib.sha256(), validity.release
    for path in (validity.path, dosage.path):
        with path.open("rb") as file:
            for line in file:
                if found := _DATED.match(line):
                    day = found[1].decode() if found[1] else day
                else:
                    digest.update(line)
    return Release(day, digest.hexdigest(), validity.address)
