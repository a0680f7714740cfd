"""Names as a Beijing chat group has them: people, what they call themselves, and the doors they live behind."""

from functools import cache
from random import Random

from kaituan.demo.goods import rows

PARENTS = ("妈妈", "爸爸", "奶奶", "姥姥")
FLOURISHES = ("🌸", "🌻", "☀️", "🍀", "🌙", "")


@cache
def _words(kind: str) -> list[str]:
    return [row["word"] for row in rows("names") if row["kind"] == kind]


def person_name(rng: Random) -> str:
    """A full name: 张敏, 王秀兰."""
    return rng.choice(_words("surname")) + rng.choice(_words("given"))


def room(rng: Random) -> str:
    """Building and door as people write them: 3-502, or 3-2-502 with its entrance."""
    building, floor, door = rng.randint(1, 18), rng.randint(1, 21), rng.randint(1, 4)
    entrance = f"{rng.randint(1, 4)}-" if rng.random() < 0.4 else ""
    return f"{building}-{entrance}{floor}{door:02d}"


def chat_name(rng: Random, *, name: str, door: str) -> str:
    """What somebody is called in the group: the name, the door and a name, a child's parent, a phrase."""
    style = rng.random()
    if style < 0.35:
        return name
    if style < 0.6:
        return f"{door}{name[0]}{rng.choice(('姐', '哥', '阿姨', '女士', '先生', '大爷'))}"
    if style < 0.8:
        return rng.choice(_words("child")) + rng.choice(PARENTS)
    return rng.choice(_words("phrase")) + rng.choice(FLOURISHES)
