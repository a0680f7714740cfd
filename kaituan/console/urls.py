"""The operator's pages."""

from django.urls import path

from kaituan.console.views import (
    campaigns,
    catalogue,
    claims,
    home,
    payments,
    people,
    plans,
    purchasing,
    settlement,
    sheets,
    suppliers,
)

app_name = "console"
urlpatterns = [
    path("", home.home, name="home"),
    path("campaigns/", campaigns.listing, name="campaigns"),
    path("campaigns/<slug:campaign>/", campaigns.page, name="campaign"),
    path("campaigns/<slug:campaign>/change/", campaigns.change, name="change"),
    path("campaigns/<slug:campaign>/cut-off/", campaigns.cut_off_now, name="cut-off"),
    path("campaigns/<slug:campaign>/share/<int:variant>/", purchasing.share, name="share"),
    path("campaigns/<slug:campaign>/share-complete/", purchasing.share_complete, name="share-complete"),
    path("campaigns/<slug:campaign>/arrived/<slug:point>/", purchasing.arrived, name="arrived"),
    path("campaigns/<slug:campaign>/sheets/<slug:kind>/", sheets.sheet, name="sheet"),
    path("purchasing/", purchasing.orders, name="purchasing"),
    path("purchasing/<slug:order>/", purchasing.order, name="purchase-order"),
    path("purchasing/<slug:order>/excel/", purchasing.order_excel, name="purchase-order-excel"),
    path("purchasing/<slug:order>/print/", purchasing.order_print, name="purchase-order-print"),
    path("claims/", claims.waiting, name="claims"),
    path("claims/<slug:claim>/", claims.decide, name="claim"),
    path("payments/", payments.overview, name="payments"),
    path("remittances/", payments.remittances, name="remittances"),
    path("withdrawals/", settlement.withdrawals, name="withdrawals"),
    path("settlement/", settlement.periods, name="settlement"),
    path("settlement/<slug:statement>/", settlement.statement, name="statement"),
    path("plans/", plans.plans, name="plans"),
    path("suppliers/", suppliers.owed, name="suppliers"),
    path("suppliers/<slug:supplier>/", suppliers.statement, name="supplier"),
    path("catalogue/", catalogue.goods, name="catalogue"),
    path("catalogue/price-list/<slug:supplier>/", catalogue.upload, name="price-list"),
    path("catalogue/price-list/<slug:supplier>/template/", catalogue.template, name="price-list-template"),
    path("catalogue/price-list/<slug:supplier>/<int:pk>/", catalogue.preview, name="price-list-preview"),
    path("people/", people.search, name="people"),
    path("people/<slug:person>/", people.person, name="person"),
    path("data-access/", people.access_log, name="data-access"),
]
