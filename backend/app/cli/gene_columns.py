from app.annotation.genes.columns import ReadColumn
from app.cli.output import count


def describe_column(column: ReadColumn) -> str:
    """Say how a column of a gene list was read."""
    if column.read_as is None:
        return f"column {column.column}: not read"
    line = f"column {column.column}: {column.read_as} in {_rows(column.rows)}"
    return f"{line}, something else in {_rows(column.problems)}" if column.problems else line


def _rows(number: int) -> str:
    return f"{count(number)} row" if number == 1 else f"{count(number)} rows"
