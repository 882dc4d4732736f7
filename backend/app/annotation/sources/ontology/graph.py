from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from app.annotation.upstream.bulk_files.lines import UnusableFile


class Ontology:
    """The terms of an ontology with their parent terms (`is_a`).

    Args:
        file: the name of the file, for errors.
        names: the names of the terms that are not obsolete, by id.
        parents: the parent terms of each term. Terms without parents may be omitted.
        replaced: the replacements of obsolete and merged terms.
        release: the release that the file names.

    Raises:
        UnusableFile: a parent does not exist, the terms form a cycle, or no term has a parent. A
            truncated ontology must not be mistaken for one whose terms have no parents.
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
                    message = f"{file}: {child} is below {parent}, but one of them does not exist"
                    raise UnusableFile(message)
                self._children.setdefault(parent, []).append(child)
        if len(names) > 1 and not self._children:
            raise UnusableFile(f"{file} has no term with a parent")
        try:
            TopologicalSorter(parents).prepare()
        except CycleError as error:
            cycle = " below ".join(error.args[1][:5])
            raise UnusableFile(f"{file} has a cycle: {cycle}") from None

    def current(self, term: str) -> str | None:
        """Return the current term for a term: itself or its replacement.

        Returns:
            Return None if the ontology lacks the term, or if the term is obsolete without a
            replacement.
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
        """Return all terms that share a topmost term with the roots.

        A term outside this set has lost its parents, so it is not known whether it is below a root.
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
