"""One invariant: a SELECT that finds nothing when all is well, and a sentence for each row that it finds."""

from dataclasses import dataclass

from django.db import connection

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Check:
    """sentence: filled by position with the columns of a row. broken: SELECT of the rows that break it."""

    sentence: str
    broken: str

    def run(self) -> list[str]:
        """A sentence for each of the first broken rows, and one more if there are others."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({self.broken}) broken LIMIT {SHOWN + 1}")  # noqa: S608 - our own text
            rows = cursor.fetchall()
        found = [self.sentence.format(*row) for row in rows[:SHOWN]]
        if len(rows) > SHOWN:
            found.append(f"... and more of the same: {self.sentence.partition(':')[0].format(*rows[SHOWN])}.")
        return found
