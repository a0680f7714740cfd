"""What was told to whom. The outbox is written with the event; all telling comes after."""

from django.db import models
from django.db.models import Q


class OutboxMessage(models.Model):
    """An event that others must learn of. Holds ids only, never a name, phone or address."""

    topic = models.CharField(max_length=60)
    """`orders_placed`, `campaign_closed` ...: what a handler is registered for."""
    subject = models.CharField(max_length=64)
    """`type:id` of the row the event is about."""
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    """Not before this time, after a failure."""

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], condition=Q(handled_at__isnull=True), name="outbox_messages_to_handle"
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.subject}"


class Notice(models.Model):
    """One thing one person is told, in the inbox; `kind` names the template, `data` fills it."""

    person_id = models.BigIntegerField()
    """people.Person; a plain number because people/ stands below this folder."""
    kind = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    """Ids, numbers and dates. Names are looked up when the notice is shown."""
    link = models.CharField(max_length=200, blank=True, default="")
    dedupe_key = models.CharField(max_length=120, unique=True)
    """One telling per event and person, however often the handler runs."""
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["person_id", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.kind} for {self.person_id}"


class Delivery(models.Model):
    """A notice handed to a sender outside (SMS, WeChat): once, with what became of it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    sender = models.CharField(max_length=30)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True, default="")
    sent_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    """Not before this time: after a failure, or while a worker has it in hand."""

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["notice", "sender"], name="a_notice_goes_to_a_sender_once"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status="pending"), name="deliveries_to_send"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} by {self.sender}"
