"""Signing in and out. The names are those that django-allauth looks for."""

from django.urls import path

from kaituan.web.sign_in import staff_views, views

urlpatterns = [
    path("sign-in/", views.phone_page, name="account_request_login_code"),
    path("sign-in/code/", views.code_page, name="account_confirm_login_code"),
    path("sign-in/inactive/", views.inactive_page, name="account_inactive"),
    path("sign-out/", views.sign_out_page, name="account_logout"),
    path("sign-out/everywhere/", views.sign_out_everywhere_action, name="sign_out_everywhere"),
    path("demo/persona/<str:token>/", views.persona_page, name="persona"),
    path("staff/sign-in/", staff_views.staff_sign_in_page, name="account_login"),
    path("staff/sign-in/code/", staff_views.second_factor_page, name="mfa_authenticate"),
    path("staff/password/", staff_views.password_again_page, name="account_reauthenticate"),
    path("staff/code/", staff_views.prove_again_page, name="mfa_reauthenticate"),
    path("staff/second-factor/", staff_views.set_up_second_factor_page, name="mfa_activate_totp"),
    path("staff/recovery-codes/", staff_views.recovery_codes_page, name="mfa_view_recovery_codes"),
]
