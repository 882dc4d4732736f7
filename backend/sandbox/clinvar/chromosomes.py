"""RefSeq accession versions of the human chromosomes (NCBI assembly reports, GRCh38 and GRCh37)."""

_NUMBERS = [*map(str, range(1, 23)), "X", "Y"]
_VERSIONS_38 = (11, 12, 12, 12, 10, 12, 14, 11, 12, 11, 10, 12, 11, 9, 10, 10, 11, 10, 10, 11, 9, 11, 11, 10)  # fmt: skip # noqa: E501
_VERSIONS_37 = (10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9)  # fmt: skip # noqa: E501

ACCESSION_38 = {
    name: f"NC_{place:06d}.{version}"
    for place, (name, version) in enumerate(zip(_NUMBERS, _VERSIONS_38, strict=True), 1)
}
ACCESSION_37 = {
    name: f"NC_{place:06d}.{version}"
    for place, (name, version) in enumerate(zip(_NUMBERS, _VERSIONS_37, strict=True), 1)
}
