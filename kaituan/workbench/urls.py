"""The leader's pages."""

from django.urls import path

from kaituan.workbench.views import (
    chain,
    claims,
    counter,
    groups,
    home,
    key_in,
    listing,
    money,
    opening,
    orders,
)

app_name = "workbench"
urlpatterns = [
    path("", home.today, name="home"),
    path("open/", opening.choose, name="open"),
    path("open/again/", opening.again, name="open-again"),
    path("open/<slug:campaign>/", opening.draft, name="draft"),
    path("help-sell/", opening.help_sell, name="help-sell"),
    path("l/<slug:listing>/", listing.day, name="listing"),
    path("l/<slug:listing>/share/", listing.share, name="share"),
    path("l/<slug:listing>/poster.png", listing.poster, name="poster"),
    path("l/<slug:listing>/text/", listing.text, name="chain-text"),
    path("l/<slug:listing>/orders/", listing.orders, name="orders"),
    path("l/<slug:listing>/arrived/", listing.arrived, name="arrived"),
    path("l/<slug:listing>/pickup-list/", listing.pickup_sheet, name="pickup-list"),
    path("l/<slug:listing>/paste/", chain.paste, name="paste"),
    path("l/<slug:listing>/paste/<slug:paste>/", chain.diff, name="paste-diff"),
    path("l/<slug:listing>/paste/<slug:paste>/answer/", chain.answer, name="paste-answer"),
    path("l/<slug:listing>/paste/<slug:paste>/book/", chain.book, name="paste-book"),
    path("l/<slug:listing>/match/", chain.match, name="match"),
    path("l/<slug:listing>/unpaid/", chain.unpaid, name="unpaid"),
    path("l/<slug:listing>/key-in/", key_in.page, name="key-in"),
    path("o/<slug:order>/", orders.page, name="order"),
    path("counter/", counter.find, name="counter"),
    path("counter/<slug:order>/", counter.hand, name="hand-over"),
    path("claims/", claims.waiting, name="claims"),
    path("claims/<slug:claim>/", claims.decide, name="claim"),
    path("groups/", groups.all_groups, name="groups"),
    path("groups/<slug:group>/", groups.group, name="group"),
    path("money/", money.overview, name="money"),
    path("money/remit/", money.remit, name="remit"),
    path("money/withdraw/", money.withdraw, name="withdraw"),
    path("money/hand-back/<slug:refund>/", money.hand_back, name="hand-back"),
    path("money/<slug:statement>/", money.statement, name="statement"),
    path("money/<slug:statement>/excel/", money.statement_excel, name="statement-excel"),
    path("money/<slug:statement>/row/<int:row>/", money.row, name="statement-row"),
]
