from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from app.annotation.upstream.bulk_files.lines import UnusableFile


class Ontology:
    """The terms of an ontology and the terms above each (`is_a`).

    Args:
        file: the name of the file, for errors.
        names: of the terms that are not obsolete, by id.
        parents: the terms directly above each term. A term without parents may be left out.
        replaced: the terms that stand for obsolete and merged ones.
        release: that the file names.

    Raises:
        UnusableFile: a term is below one that does not exist, or below itself, or none is below
            another. An ontology that was cut or damaged must not look as if terms had nothing
            above them.
    """

    def __init__(
        self,
        file: str,
        names: Mapping[str, str],
        parents: Mapping[str, Sequence[str]],
        replaced: Mapping[str, str],
        release: str | None = None,
    ) -> None:
        self.names = names
        self.release = release
        self._file = file
        self._parents = parents
        self._replaced = replaced
        self._children: dict[str, list[str]] = {}
        for child, above in parents.items():
            for parent in above:
                if child not in names or parent not in names:
                    message = f"{file}: {child} is below {parent}, and one of them does not exist"
                    raise UnusableFile(message)
                self._children.setdefault(parent, []).append(child)
        if len(names) > 1 and not self._children:
            raise UnusableFile(f"{file} does not say which terms are below others")
        try:
            TopologicalSorter(parents).prepare()
        except CycleError as error:
            cycle = " below ".join(error.args[1][:5])
            raise UnusableFile(f"{file} has a cycle: {cycle}") from None

    def current(self, term: str) -> str | None:
        """Return the term that stands for a term today: itself, or the one that replaced it.

        Returns:
            None if the ontology does not have the term, or if it is obsolete and was not replaced.
        """
        seen = set()
        while term not in self.names:
            seen.add(term)
            term = self._replaced.get(term, "")
            if not term or term in seen:
                return None
        return term

    def below(self, roots: Iterable[str]) -> frozenset[str]:
        """Return the roots and all terms below them.

        Raises:
            UnusableFile: a root is not a term of the ontology.
        """
        roots = list(roots)
        if missing := [root for root in roots if root not in self.names]:
            raise UnusableFile(f"{self._file} has no term {', '.join(missing)}")
        return _reached(roots, self._children)

    def beside(self, roots: Iterable[str]) -> frozenset[str]:
        """Return all terms that have a topmost term in common with the roots.

        A term that is not among them lost the terms above it: whether it is below a root cannot be
        told.
        """
        above = _reached(roots, self._parents)
        return self.below(term for term in above if not self._parents.get(term))


def _reached(starts: Iterable[str], steps: Mapping[str, Sequence[str]]) -> frozenset[str]:
    found = set(starts)
    left = list(found)
    while left:
        for each in steps.get(left.pop(), ()):
            if each not in found:
                found.add(each)
                left.append(each)
    return frozenset(found)
