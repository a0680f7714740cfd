"""Why a claim cannot be opened or decided. Each message is one sentence for the person who asked."""


class AftersalesRefused(Exception):
    """Base of all refusals of this folder; nothing was changed."""


class ClaimRefused(AftersalesRefused):
    """The claim cannot be opened: too late, too much, or nothing was handed over yet."""


class PhotoRefused(AftersalesRefused):
    """A picture that cannot be taken."""


class AlreadyDecided(AftersalesRefused):
    """Somebody has decided or withdrawn this claim."""


class BeyondLimit(AftersalesRefused):
    """More than this person may grant: the operator decides."""


class OwnClaim(AftersalesRefused):
    """Nobody decides a claim of their own."""
