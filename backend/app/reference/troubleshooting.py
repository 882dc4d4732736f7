from itertools import groupby

from app.doctor.registry import CHECKS


def text() -> str:
    """Return a section for each of the doctor's checks, with the anchor that the doctor names."""
    parts = []
    for group, checks in groupby(CHECKS, key=lambda check: check.group):
        parts.append(f"## {group}\n")
        for check in checks:
            parts.append(f'<a id="{check.docs.partition("#")[2]}"></a>\n')
            parts.append(f"### `{check.id}`: {check.title}\n")
            parts.append(f"{check.why}\n")
            if check.fix is not None:
                parts.append(
                    f"The doctor can mend it:\n\n```sh\njust doctor --only {check.id} --fix\n```\n"
                )
            elif check.remedy:
                parts.append(f"What mends it:\n\n```sh\n{check.remedy}\n```\n")
            else:
                parts.append("What mends it depends on what is found; the doctor says it.\n")
    return "\n" + "\n".join(parts) + "\n"
