"""The supplier's pages."""

from django.urls import path

from kaituan.portal import views

app_name = "portal"
urlpatterns = [
    path("", views.purchase_orders, name="home"),
    path("orders/<slug:order>/", views.purchase_order, name="order"),
    path("orders/<slug:order>/excel/", views.purchase_order_excel, name="order-excel"),
    path("orders/<slug:order>/print/", views.purchase_order_print, name="order-print"),
    path("payables/", views.payables, name="payables"),
    path("goods/", views.goods, name="goods"),
]
