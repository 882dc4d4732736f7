import pytest

from tests.integration.docs.fences import fences

PAGE = """# The page

```sh
# no heading
echo one
```

## Quick start ##

```sh title="Terminal 2: a worker"
make worker
```

1. In a list:

   ```python
   if True:
       print("indented")
   ```

### Deeper

````markdown
```sh
echo shown, not run
```
````

~~~text
```
~~~

## Next

```
no language
```
"""


@pytest.fixture
def found():
    return list(fences(PAGE, "page.md"))


def test_each_block_has_its_language_and_its_title(found) -> None:
    assert [(each.language, each.title) for each in found] == [
        ("sh", ""),
        ("sh", "Terminal 2: a worker"),
        ("python", ""),
        ("markdown", ""),
        ("text", ""),
        ("", ""),
    ]


def test_each_block_has_the_headings_above_it(found) -> None:
    assert [each.headings for each in found] == [
        ("The page",),
        ("The page", "Quick start"),
        ("The page", "Quick start"),
        ("The page", "Quick start", "Deeper"),
        ("The page", "Quick start", "Deeper"),
        ("The page", "Next"),
    ]


def test_the_position_of_a_block_is_its_line(found) -> None:
    assert found[0].place == "page.md:3"
    lines = PAGE.splitlines()
    assert all(lines[each.line - 1].lstrip()[0] in "`~" for each in found)


def test_the_text_of_a_block_is_unchanged(found) -> None:
    assert found[0].text == "# no heading\necho one\n"
    assert found[2].text == 'if True:\n    print("indented")\n'
    assert found[3].text == "```sh\necho shown, not run\n```\n"
    assert found[4].text == "```\n"


def test_a_block_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match=r"page\.md:3: this fence is not closed"):
        list(fences("# x\n\n```sh\necho\n", "page.md"))
