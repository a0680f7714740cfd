"""What this folder refuses to do, each reason with its name. The message is one sentence for the reader."""


class PeopleRefused(Exception):
    """The change cannot be made; the message says why and what to do."""


class InvalidPhone(PeopleRefused):
    """Not an 11-digit mobile number of the mainland."""


class InvalidName(PeopleRefused):
    """Empty, too long, or made of control characters."""


class PhoneTaken(PeopleRefused):
    """Another account signs in with this phone."""


class AlreadyLinked(PeopleRefused):
    """The person already has an account."""


class GroupArchived(PeopleRefused):
    """The group takes no new members and no changes."""


class AlreadyLeader(PeopleRefused):
    """The person is a leader already, and a referrer is never changed afterwards."""


class TierRefused(PeopleRefused):
    """A tier that would change what was already earned by."""


class RoleRefused(PeopleRefused):
    """A role that cannot be granted or ended."""


class MergeRefused(PeopleRefused):
    """The two persons cannot become one as things stand."""


class DeletionRefused(PeopleRefused):
    """Something has to be brought to an end first; the message says what."""


class PayeeRefused(PeopleRefused):
    """An account that nobody can be paid to, or a check of it that proves nothing."""


class BankMissing(PayeeRefused):
    """A card without its bank cannot be paid to."""


class CheckDigitDoubted(PayeeRefused):
    """The digits of a card do not fit each other: mostly one of them is mistyped, rarely the bank's are so."""
