import re

from app.doctor.recipes import commands
from app.doctor.registry import CHECKS
from reference import checks


def sections() -> dict[str, str]:
    """The section of each check, by its anchor."""
    found = re.split(r'<a id="([a-z-]+)"></a>\n', checks.text())
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_each_check_has_a_section_that_begins_with_the_symptom() -> None:
    found = sections()
    assert len(found) == len(CHECKS)
    for check in CHECKS:
        section = found[check.docs.partition("#")[2]]
        first, why, *_ = section.strip().split("\n\n")
        assert (f"{first.removeprefix('### ')}.", why) == (check.symptom, check.why)
        assert f"`{check.id}` requires: {check.title}." in section


def test_each_section_names_a_command() -> None:
    for check in CHECKS:
        section = sections()[check.docs.partition("#")[2]]
        assert section.count("```sh") == 1
        if check.fix is not None:
            assert f"\njust doctor --only {check.id} --fix\n" in section
        elif not check.remedy:
            assert f"\njust doctor --only {check.id}\n" in section
        else:
            assert f"\n{commands(check.remedy)}\n" in section


def test_a_command_for_root_is_marked_as_one() -> None:
    assert '```sh title="Server"\nsudo sh deploy/systemd/install.sh\n```' in checks.text()
    assert "```sh\nsudo" not in checks.text()


def test_the_index_leads_to_every_section() -> None:
    row = re.compile(r"^\| \[(.+)\]\(#([a-z-]+)\) \| `([a-z.-]+)` \|$", re.MULTILINE)
    named = row.findall(checks.index())
    assert [(f"{words}.", id_) for words, _, id_ in named] == [(c.symptom, c.id) for c in CHECKS]
    assert {anchor for _, anchor, _ in named} == set(sections())


def test_no_two_checks_have_the_same_symptom() -> None:
    assert len({check.symptom for check in CHECKS}) == len(CHECKS)
