"""What can be sold: suppliers, products, variants with their units, dated prices, and stock pools."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from kaituan.people.models import Person, public_id_field


class Supplier(models.Model):
    public_id = public_id_field()
    name = models.CharField(max_length=80, unique=True)
    contact_name = models.CharField(max_length=60, blank=True, default="")
    phone = models.CharField(max_length=20, blank=True, default="")
    lead_days = models.PositiveSmallIntegerField(default=1)
    """Days from cut-off to arrival that the supplier promises."""
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class SupplierStaff(models.Model):
    """A person who may act for a supplier in the portal, for a time."""

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="staff")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="supplier_roles")
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.person_id} for {self.supplier_id}"


class Category(models.Model):
    """`code` is what commission plans name."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    public_id = public_id_field()
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="products")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, default="")
    origin = models.CharField(max_length=60, blank=True, default="")
    storage = models.CharField(max_length=60, blank=True, default="")
    aliases = models.JSONField(default=list, blank=True)
    """Other names people use in the chat: a list of strings for the chain reader."""
    emoji = models.CharField(max_length=8, blank=True, default="")
    tile_hue = models.PositiveSmallIntegerField(default=30)
    """0-359: the colour behind the picture, or of the tile when there is none."""
    picture = models.ImageField(upload_to="products/", blank=True, default="")
    in_selection_pool = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """A product in one size. Quantities are integers in its base step: a piece, or a gram."""

    class BaseStep(models.TextChoices):
        PIECE = "piece"
        GRAM = "gram"

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    sku = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=60, blank=True, default="")
    base_step = models.CharField(max_length=6, choices=BaseStep.choices, default=BaseStep.PIECE)
    sale_unit = models.CharField(max_length=20)
    """What a quantity of 1 means to a member: 份, 盒, 5斤, or 斤 when sold loose."""
    steps_per_sale_unit = models.PositiveIntegerField(default=1)
    """1 for packs, 500 for goods sold loose by 斤 (base step: gram)."""
    purchase_unit = models.CharField(max_length=20)
    """What the supplier ships: 箱, 件."""
    steps_per_purchase_unit = models.PositiveIntegerField(default=1)
    net_weight_g = models.PositiveIntegerField(default=0)
    """Weight of one sale unit, for routes and labels; 0 if unknown."""
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(steps_per_sale_unit__gt=0) & Q(steps_per_purchase_unit__gt=0),
                name="units_hold_at_least_one_step",
            )
        ]

    def __str__(self) -> str:
        return self.sku


class VariantPrice(models.Model):
    """Prices of a variant from a time on. Their list is the history that discounts are shown against."""

    append_only: ClassVar[bool] = True

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="prices")
    effective_from = models.DateTimeField()
    sale_price_fen = models.BigIntegerField()
    """Suggested, per sale unit."""
    purchase_price_fen = models.BigIntegerField()
    """What the supplier is paid, per purchase unit."""
    source = models.CharField(max_length=120)
    """Where it came from: a price list's file name and row, or who typed it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "effective_from"], name="one_price_for_a_variant_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(sale_price_fen__gte=0) & Q(purchase_price_fen__gte=0),
                name="prices_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id}: {self.sale_price_fen}"


class StockPool(models.Model):
    """The quantity that is reserved and locked: of one variant, shared by offers or private to one."""

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="pools")
    label = models.CharField(max_length=80)
    is_shared = models.BooleanField(default=True, db_default=True)
    """True: any campaign's offers may draw on it. False: it belongs to the one offer it was made for."""
    supplied_quantity = models.BigIntegerField()
    """Base steps ever made available."""
    available_quantity = models.BigIntegerField()
    """Base steps not sold: supplied less what stands on live order lines."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(available_quantity__gte=0), name="a_pool_is_never_oversold"),
            models.CheckConstraint(
                condition=Q(available_quantity__lte=F("supplied_quantity")),
                name="a_pool_never_has_more_than_was_supplied",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class StockSupply(models.Model):
    """A pool was given more, or less was left of it than was thought: how much, who said so and why."""

    append_only: ClassVar[bool] = True

    pool = models.ForeignKey(StockPool, on_delete=models.PROTECT, related_name="supplies")
    change_quantity = models.BigIntegerField()
    """Base steps, signed."""
    key = models.CharField(max_length=64, unique=True)
    """Made with the form, so that a click that is sent twice supplies once."""
    reason = models.CharField(max_length=120)
    actor = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    happened_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "stock supplies"
        constraints = [
            models.CheckConstraint(condition=~Q(change_quantity=0), name="a_supply_changes_something"),
        ]

    def __str__(self) -> str:
        return f"{self.change_quantity} to {self.pool_id}"


class PriceListImport(models.Model):
    """A supplier's price list as it was uploaded, previewed and applied."""

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="price_lists")
    file_name = models.CharField(max_length=200)
    content_sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    rows = models.JSONField(default=list)
    """What was read: one object per row, with its changes or its error."""
    applied_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.file_name
