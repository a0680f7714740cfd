"""Goods and suppliers' price lists."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.catalogue.access import own_supplier
from kaituan.catalogue.models import PriceListImport, Supplier, Variant
from kaituan.catalogue.price_list import (
    effect_counts,
    not_in_list,
    preview_price_list,
    preview_rows,
    price_list_template,
)
from kaituan.catalogue.queries import current_prices
from kaituan.catalogue.refusals import CatalogueRefused
from kaituan.commission.price_lists import take_over_price_list
from kaituan.console.doors import EXCEL, acting, operator
from kaituan.console.forms import PriceListForm
from kaituan.web import clock

MAX_UPLOAD = 5 * 2**20


@require_GET
@operator
def goods(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    search = request.GET.get("q", "").strip()
    rows = Variant.objects.filter(archived_at__isnull=True).select_related(
        "product__supplier", "product__category"
    )
    if search:
        rows = rows.filter(product__name__icontains=search) | rows.filter(sku__icontains=search)
    page = Paginator(rows.order_by("product__supplier__name", "product__name", "pk"), 100).get_page(
        request.GET.get("page")
    )
    prices = current_prices(variant_ids=[variant.pk for variant in page], now=now)
    context = {
        "now": now,
        "place": "catalogue",
        "page": page,
        "rows": [(variant, prices.get(variant.pk)) for variant in page],
        "search": search,
        "suppliers": Supplier.objects.filter(archived_at__isnull=True).order_by("name"),
    }
    return render(request, "console/catalogue.html", context)


@require_http_methods(["GET", "POST"])
@operator
def upload(request: HttpRequest, supplier: str) -> HttpResponse:
    now = clock.now()
    row = own_supplier(request.user, supplier, now=now)
    form = PriceListForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file.size > MAX_UPLOAD:
                raise CatalogueRefused(_("The file is too large: at most 5 MB."))
            made = preview_price_list(
                supplier=row,
                data=file.read(),
                file_name=file.name,
                acting_person=acting(request),
                now=now,
            )
        except CatalogueRefused as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("console:price-list-preview", supplier=row.public_id, pk=made.pk)
    context = {
        "now": now,
        "place": "catalogue",
        "supplier": row,
        "form": form,
        "lists": row.price_lists.order_by("-pk")[:20],
    }
    return render(request, "console/price_list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@operator
def preview(request: HttpRequest, supplier: str, pk: int) -> HttpResponse:
    """What the list would change; one press does exactly that."""
    now = clock.now()
    row = own_supplier(request.user, supplier, now=now)
    price_list = get_object_or_404(PriceListImport, supplier=row, pk=pk)
    if request.method == "POST":
        try:
            applied = take_over_price_list(price_list=price_list, acting_person=acting(request), now=now)
        except CatalogueRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request,
                _("%(prices)s prices, %(products)s new products, %(variants)s new sizes.")
                % {
                    "prices": applied.prices,
                    "products": applied.new_products,
                    "variants": applied.new_variants,
                },
            )
        return redirect("console:price-list-preview", supplier=row.public_id, pk=pk)
    context = {
        "now": now,
        "place": "catalogue",
        "supplier": row,
        "price_list": price_list,
        "rows": preview_rows(price_list=price_list),
        "counts": effect_counts(price_list=price_list),
        "missing": not_in_list(price_list=price_list),
    }
    return render(request, "console/price_list_preview.html", context)


@require_GET
@operator
def template(request: HttpRequest, supplier: str) -> HttpResponse:
    row = own_supplier(request.user, supplier, now=clock.now())
    answer = HttpResponse(
        price_list_template(supplier=row, now=clock.now(), with_sale_prices=True), content_type=EXCEL
    )
    answer["Content-Disposition"] = 'attachment; filename="price-list.xlsx"'
    return answer
