"""The member's pages."""

from django.urls import path

from kaituan.storefront.views import campaign, claims, home, me, orders, pay

app_name = "storefront"
urlpatterns = [
    path("", home.home, name="home"),
    path("g/<slug:listing>/", campaign.campaign_page, name="campaign"),
    path("g/<slug:listing>/chain.json", campaign.chain_json, name="chain"),
    path("g/<slug:listing>/mine.json", campaign.personal, name="personal"),
    path("g/<slug:listing>/join/", campaign.join, name="join"),
    path("o/<slug:order>/", orders.order_page, name="order"),
    path("o/<slug:order>/edit/", orders.edit, name="edit"),
    path("o/<slug:order>/cancel/", orders.cancel, name="cancel"),
    path("o/<slug:order>/pay/", pay.choose, name="pay"),
    path("pay/sandbox/<slug:intent>/", pay.sandbox, name="sandbox"),
    path("o/<slug:order>/claim/<int:line>/", claims.claim, name="claim"),
    path("me/", me.my_orders, name="me"),
    path("me/inbox/", me.inbox, name="inbox"),
    path("me/account/", me.account, name="account"),
    path("me/account/delete/", me.delete, name="delete"),
    path("photo/<int:photo>/", claims.photo, name="photo"),
]
