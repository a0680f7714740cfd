"""Preferences, and the style page."""

from django.urls import path

from kaituan.web import views

app_name = "web"
urlpatterns = [
    path("preferences/", views.preferences_page, name="preferences"),
    path("design/", views.design, name="design"),
    path("design/desktop/", views.design, {"face": "desktop"}, name="design-desktop"),
    path("design/print/", views.design, {"face": "print"}, name="design-print"),
    path("design/campaign/", views.design, {"face": "campaign"}, name="design-campaign"),
]
