"""Persons and what they are to each other. Everything personal about anybody is in this folder's tables."""

import secrets
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

PUBLIC_ID_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""No characters that are misread on paper or over the phone."""


# 248 is the last multiple of 31: bytes from there on are thrown away, so that every character is as likely.
_PUBLIC_ID_BYTES = bytes(ord(PUBLIC_ID_ALPHABET[byte % 31]) for byte in range(256))
_UNEVEN_BYTES = bytes(range(248, 256))


def new_public_id() -> str:
    """A random id for URLs: 12 characters, 59 bits; says nothing about how many rows there are."""
    return new_public_ids(1)[0]


def new_public_ids(count: int) -> list[str]:
    """As many new public ids as asked for, from one draw."""
    letters = ""
    while len(letters) < 12 * count:
        drawn = secrets.token_bytes(13 * count + 3)
        letters += drawn.translate(_PUBLIC_ID_BYTES, _UNEVEN_BYTES).decode()
    return [letters[at : at + 12] for at in range(0, 12 * count, 12)]


def public_id_field() -> "models.CharField[str, str]":
    return models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)


class Station(models.Model):
    """The one city station of this schema: its name and the terms that hold for all of it."""

    name = models.CharField(max_length=60)
    currency = models.CharField(max_length=3, default="CNY")
    claim_window_hours = models.PositiveIntegerField(default=48)
    """From hand-over to the moment a line counts as completed."""
    unclaimed_after_hours = models.PositiveIntegerField(default=72)
    """From arrival: goods nobody fetched are completed by the rule, as if handed over."""
    payment_minutes = models.PositiveIntegerField(default=30)
    """How long a prepaid order keeps its stock."""
    leader_refund_limit_fen = models.BigIntegerField(default=5_000)
    """What a leader may grant on one claim without the operator."""
    withdrawal_minimum_fen = models.BigIntegerField(default=1_000)
    """What the station began with; it holds until the first `settlement.WithdrawalMinimum` takes effect."""
    chain_text_days = models.PositiveIntegerField(default=30)
    """Pasted chat text is deleted after this many days."""

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """Somebody we know of, with or without a way to sign in."""

    never_deleted: ClassVar[bool] = True

    public_id = public_id_field()
    name = models.CharField(max_length=60)
    phone = models.CharField(max_length=20, blank=True, default="", db_index=True)
    """11 digits as said by the person or the leader; proven only by an account's phone."""
    created_at = models.DateTimeField()
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged_from"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)
    """Deletion on request: name and phone are gone, the books stay."""

    def __str__(self) -> str:
        return self.public_id


class AccountManager(BaseUserManager["Account"]):
    def create_user(
        self,
        *,
        person: Person,
        phone: str = "",
        username: str = "",
        password: str | None = None,
        is_staff: bool = False,
    ) -> "Account":
        account = self.model(person=person, phone=phone or None, username=username or None, is_staff=is_staff)
        account.set_password(password) if password else account.set_unusable_password()
        account.save(using=self._db)
        return account

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(username=username)


class Account(AbstractBaseUser, PermissionsMixin):
    """How somebody signs in: a proven phone, or for staff a user name, a password and a second factor."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="account")
    phone = models.CharField(max_length=20, unique=True, null=True, blank=True)
    phone_verified = models.BooleanField(default=False)
    username = models.CharField(max_length=60, unique=True, null=True, blank=True)
    email = models.EmailField(blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    language = models.CharField(max_length=10, blank=True, default="")
    elder_mode = models.BooleanField(default=False)
    session_version = models.PositiveIntegerField(default=1)
    """Raised to sign the account out everywhere; part of every signed pass."""

    staff_is_proven: bool = True
    """No column. False where the visitor's sign-in proves too little for staff work: then the account has no staff
    role. The web sets it for each request; where nobody signs in (commands, jobs), who calls answers for it."""

    objects = AccountManager()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.username or f"account {self.pk}"

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        # A session carries this hash: a new password or a raised session version ends all earlier ones.
        value = f"{self.password}:{self.session_version}"
        return salted_hmac("kaituan.people.session", value, secret=secret, algorithm="sha256").hexdigest()


class StaffRole(models.Model):
    """A dated role of a person who works for the operator."""

    class Role(models.TextChoices):
        ADMIN = "admin"
        """Everything, staff roles and switches included."""
        OPERATOR = "operator"
        """Campaigns, buying, receiving, sharing out, claims."""
        CASHIER = "cashier"
        """Payments, settlement, withdrawals, supplier payments."""
        DRIVER = "driver"
        """Routes and deliveries only."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="staff_roles")
    role = models.CharField(max_length=12, choices=Role.choices)
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gt=F("effective_from")),
                name="a_staff_role_ends_after_it_starts",
            )
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.person_id}"


class Leader(models.Model):
    """A person who sells into groups or hands goods over."""

    never_deleted: ClassVar[bool] = True

    public_id = public_id_field()
    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="leader")
    referrer = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="referred"
    )
    """Set when the leader joins, never changed: the referral forest."""
    joined_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(referrer__isnull=True) | Q(referrer__lt=F("id")),
                name="a_leader_was_referred_by_an_earlier_one",
            )
        ]

    def __str__(self) -> str:
        return self.public_id


class LeaderTier(models.Model):
    """The tier a leader holds from a time on; empty means none."""

    append_only: ClassVar[bool] = True

    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="tiers")
    tier = models.CharField(max_length=30, blank=True, default="")
    effective_from = models.DateTimeField()
    reason = models.CharField(max_length=200)
    set_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["leader", "effective_from"], name="one_tier_for_a_leader_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.leader_id}: {self.tier or '-'}"


class PayeeAccount(models.Model):
    """Where a leader's earnings are paid to, from a time on: the latest one holds. A change is another row.

    Nothing is changed afterwards but who has checked or refused it, and that deleting the person blanks what is
    personal.
    """

    class Kind(models.TextChoices):
        CARD = "card"
        ALIPAY = "alipay"
        WECHAT = "wechat"

    never_deleted: ClassVar[bool] = True

    public_id = public_id_field()
    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="payee_accounts")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    holder_name = models.CharField(max_length=60, blank=True, default="")
    account_number = models.CharField(max_length=100, blank=True, default="")
    """Of a card its digits; else the phone, e-mail address or id that the payee is found by. Empty: forgotten."""
    bank_name = models.CharField(max_length=60, blank=True, default="")
    set_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    checked_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    """Somebody else than who set it: nothing is paid before."""
    checked_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    refused_at = models.DateTimeField(null=True, blank=True)
    refusal = models.CharField(max_length=200, blank=True, default="")
    """Why it cannot be paid to; the leader reads it."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True, checked_at__isnull=True)
                | Q(checked_by__isnull=False, checked_at__isnull=False),
                name="a_payee_account_was_checked_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("set_by")),
                name="a_payee_account_is_checked_by_another",
            ),
            models.CheckConstraint(
                condition=Q(refused_by__isnull=True, refused_at__isnull=True)
                | Q(refused_by__isnull=False, refused_at__isnull=False, checked_at__isnull=True),
                name="a_payee_account_is_checked_or_refused_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["account_number"])]

    def __str__(self) -> str:
        return self.public_id


class PickupPoint(models.Model):
    """Where goods are handed over. Coordinates are GCJ-02 in millionths of a degree."""

    public_id = public_id_field()
    name = models.CharField(max_length=80)
    district = models.CharField(max_length=40, blank=True, default="")
    address = models.CharField(max_length=200, blank=True, default="")
    opening_hours = models.CharField(max_length=80, blank=True, default="")
    longitude_e6 = models.IntegerField(null=True, blank=True)
    latitude_e6 = models.IntegerField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class PickupKeeper(models.Model):
    """A leader who hands over at a pickup point, for a time."""

    pickup_point = models.ForeignKey(PickupPoint, on_delete=models.PROTECT, related_name="keepers")
    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="kept_points")
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.leader_id} at {self.pickup_point_id}"


class Group(models.Model):
    """A chat group. One leader owns it."""

    public_id = public_id_field()
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="groups")
    pickup_point = models.ForeignKey(PickupPoint, on_delete=models.PROTECT, related_name="groups")
    """Where this group's goods go unless a listing says otherwise."""
    rules = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class GroupHelper(models.Model):
    """A person who may act for the group's owner in this group, for a time."""

    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="helpers")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="helped_groups")
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.person_id} helps {self.group_id}"


class Member(models.Model):
    """A person in a group, under the name the group knows; exists without signing in."""

    never_deleted: ClassVar[bool] = True

    public_id = public_id_field()
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="members")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    display_name = models.CharField(max_length=60)
    room = models.CharField(max_length=60, blank=True, default="")
    """Building, unit, room as the member writes it. Never on a public page."""
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "person"], name="a_person_is_in_a_group_once"),
        ]
        indexes = [models.Index(fields=["group", "display_name"])]

    def __str__(self) -> str:
        return self.public_id


class PersonMerge(models.Model):
    """Two persons found to be one: what was moved, by whom, when."""

    append_only: ClassVar[bool] = True

    kept = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    merged = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField(default=dict)
    """Table -> number of rows moved."""

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.kept_id}"


class PersonalDataAccess(models.Model):
    """Who saw or took out unmasked personal data, of whom, and why."""

    append_only: ClassVar[bool] = True

    actor = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=30)
    """`view_phone`, `export_pickup_list` ..."""
    subject = models.CharField(max_length=64)
    """`type:id` of the row or list."""
    row_count = models.PositiveIntegerField(default=1)
    reason = models.CharField(max_length=200, blank=True, default="")
    accessed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class PersonEvent(models.Model):
    """What was done to what we know of a person: linked to an account, signed out, anonymised ..."""

    append_only: ClassVar[bool] = True

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=30)
    actor = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    """Null: the clock, or a command."""
    reason = models.CharField(max_length=200, blank=True, default="")
    details = models.JSONField(default=dict)
    """Ids and codes; never a name, phone or address."""
    happened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.person_id}"
