"""What is printed: sorting sheet, pickup lists, labels. Each names its snapshot; names in full are logged."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kaituan.console.doors import EXCEL, acting, operator
from kaituan.fulfilment.access import campaign_for_operator
from kaituan.fulfilment.documents import export_pickup_list, labels, sorting_sheet
from kaituan.fulfilment.excel import workbook_bytes
from kaituan.fulfilment.sheets import Sheet
from kaituan.people.models import PickupPoint
from kaituan.web import clock


@require_GET
@operator
def sheet(request: HttpRequest, campaign: str, kind: str) -> HttpResponse:
    now = clock.now()
    row = campaign_for_operator(request.user, campaign, now=now)
    points = PickupPoint.objects.filter(listings__campaign=row).distinct().order_by("pk")
    if kind == "labels":
        return render(
            request, "console/labels.html", {"now": now, "campaign": row, "labels": labels(campaign=row)}
        )
    sheets: list[Sheet] = []
    if kind == "sorting":
        sheets = [sorting_sheet(campaign=row)]
    elif kind == "pickup":
        sheets = [
            export_pickup_list(campaign=row, pickup_point=point, acting_person=acting(request), now=now)
            for point in points
        ]
    if not sheets:
        raise Http404
    if "excel" in request.GET:
        answer = HttpResponse(workbook_bytes(sheets[0]), content_type=EXCEL)
        answer["Content-Disposition"] = f'attachment; filename="{sheets[0].file_name}.xlsx"'
        return answer
    return render(request, "web/sheet.html", {"now": now, "sheets": sheets})
