"""A town ready for a rush: one open campaign with many offers, listed in some groups with many members.

Every offer has all that an order must look at: a pool, a quota and a per-person limit, too large to be reached
unless a quota is given.

    python -m benchmarks.rush_town FOLDER OFFERS GROUPS MEMBERS QUOTA LIMIT    make it in a migrated data folder
    python -m benchmarks.rush_town FOLDER --renew                                   tell of it again, with fresh passes

Prints the town as JSON: campaign, version, codes of the offers, and of each member the listing and a pass.
"""

import json
import sys
from pathlib import Path

from kaituan.cli.environment import environment


def main() -> None:
    folder, *numbers = sys.argv[1:]
    with environment(Path(folder)):
        from benchmarks import rush_rows

        if numbers != ["--renew"]:
            offers, groups, members, quota, limit = map(int, numbers)
            rush_rows.build(offers=offers, groups=groups, members=members, quota=quota, limit=limit)
        json.dump(rush_rows.tell(), sys.stdout)


if __name__ == "__main__":
    main()
