"""Reads the elements of a large XML file one by one. Only one is in memory at a time.

A hostile file could define entities that expand to gigabytes, or that name other files. Entities
are defined in a document type declaration (XML 1.0, section 2.8), so a file with one is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from app.annotation.upstream.bulk_files.lines import UnusableFile

_BLOCK = 1 << 16
_MAX_DEPTH = 32


class Elements:
    """The elements of one name in an XML file. Each is yielded when it has ended.

    Args:
        path: the path of the file, which states its encoding.
        name: the name of the elements.

    Attributes:
        around: the attributes of the elements that contain them, by name.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.around: dict[str, dict[str, str]] = {}
        self._path = path
        self._name = name
        self._depth = 0
        self._building: TreeBuilder | None = None
        self._level = 0
        self._ended: list[Element] = []

    def __iter__(self) -> Iterator[Element]:
        """Read the file.

        Raises:
            UnusableFile: it is not XML, is cut short, or has a document type declaration.
        """
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            with self._path.open("rb") as file:
                while block := file.read(_BLOCK):
                    parser.Parse(block, False)  # noqa: FBT003 - expat takes no keyword
                    yield from self._ended
                    self._ended.clear()
            parser.Parse(b"", True)  # noqa: FBT003 - expat takes no keyword
        except (expat.ExpatError, LookupError, ValueError) as error:
            # the last two are of an encoding that the parser does not know
            raise UnusableFile(f"{self._path.name} is not XML, or is cut short: {error}") from error

    def _refuse(self, *_: object) -> None:
        raise UnusableFile(f"{self._path.name} has a document type declaration")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnusableFile(f"{self._path.name} has elements in more than {_MAX_DEPTH} others")
        if self._building is None and name == self._name:
            self._building, self._level = TreeBuilder(), self._depth
        if self._building is None:
            self.around[name] = attributes
        else:
            self._building.start(name, attributes)

    def _end(self, name: str) -> None:
        if self._building is not None:
            self._building.end(name)
            if self._depth == self._level:
                self._ended.append(self._building.close())
                self._building = None
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._building is not None:
            self._building.data(text)
