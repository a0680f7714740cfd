"""The admin shows every table and writes none; its policy is the only one with a hole, and a small one."""

import pytest
from django.apps import apps
from django.db import connections
from django.test import RequestFactory
from django.urls import reverse

from kaituan.console.admin import ReadOnlyModelAdmin, site
from kaituan.ordering.models import Order, PersonOfferQuantity
from kaituan.people.models import Person
from kaituan.reporting.tests.town import Town, plain_story

pytestmark = pytest.mark.django_db(databases=["default", "jobs"])


@pytest.fixture(autouse=True)
def _no_connection_left_behind():
    # Both aliases are one database: it cannot be dropped while the second one is still at the table.
    yield
    connections["jobs"].close()


FRAMEWORK = {"admin", "auth", "contenttypes", "sessions", "account", "mfa"}
"""Tables of the framework: sessions, second factors and sign-in codes are nobody's to look at."""


def test_every_table_of_the_program_is_there():
    ours = {model for model in apps.get_models() if model._meta.app_label not in FRAMEWORK}
    left_out = {model for model in ours if model not in site._registry}
    assert left_out == {PersonOfferQuantity}, "the admin cannot show a table whose key is two columns"
    assert set(site._registry) <= ours
    assert len(ours) > 60


def test_no_table_can_be_written(admin_client):
    request = RequestFactory().get("/admin/")
    request.user = admin_client.person.account
    for model, shown in site._registry.items():
        assert isinstance(shown, ReadOnlyModelAdmin), model
        rights = shown.get_model_perms(request)
        assert rights == {"add": False, "change": False, "delete": False, "view": True}, model
        assert shown.get_actions(request) == {}, model
        assert set(shown.get_readonly_fields(request)) == set(shown.fields), model


def test_every_list_and_every_row_shows(admin_client):
    plain_story()
    for model in site._registry:
        names = model._meta.app_label, model._meta.model_name
        answer = admin_client.get(reverse("admin:{}_{}_changelist".format(*names)))
        assert answer.status_code == 200, model
        row = model._default_manager.order_by("pk").first()
        if row is not None:
            address = reverse("admin:{}_{}_change".format(*names), args=[row.pk])
            assert admin_client.get(address).status_code == 200, model


def test_writing_is_refused_at_every_address(admin_client):
    order = plain_story().orders[0]
    address = reverse("admin:ordering_order_change", args=[order.pk])
    assert admin_client.post(address, {"status": "cancelled"}).status_code == 403
    assert admin_client.post(reverse("admin:ordering_order_delete", args=[order.pk])).status_code == 403
    assert admin_client.post(reverse("admin:ordering_order_add"), {}).status_code == 403
    listed = reverse("admin:ordering_order_changelist")
    admin_client.post(listed, {"action": "delete_selected", "_selected_action": [order.pk], "post": "yes"})
    before = order.status
    order.refresh_from_db()
    assert order.status == before


def test_phones_rooms_chat_texts_and_passwords_are_not_shown(admin_client):
    town = Town()
    town.place(0, 0, (1, 0))
    person = town.members[0][0].person
    Person.objects.filter(pk=person.pk).update(phone="13912345678")
    town.members[0][0].__class__.objects.update(room="7-1904")
    pages = [
        reverse("admin:people_person_change", args=[person.pk]),
        reverse("admin:people_person_changelist"),
        reverse("admin:people_member_change", args=[town.members[0][0].pk]),
        reverse("admin:people_account_change", args=[admin_client.person.account.pk]),
        reverse("admin:ordering_order_change", args=[Order.objects.first().pk]),
    ]
    for page in pages:
        shown = admin_client.get(page).content.decode()
        for secret in ("13912345678", "7-1904", admin_client.person.account.password):
            assert secret not in shown, page


@pytest.mark.parametrize(
    ("table", "asked"),
    [
        ("people/person", "phone__startswith=139"),
        ("people/member", "room=7-1904"),
        ("people/account", "password__startswith=md5"),
        ("fulfilment/pickupcode", "code=123456"),
        ("ordering/chainpaste", "text__contains=7-1904"),
        ("payments/payment", "remark__contains=7-1904"),
        ("aftersales/claim", "words__contains=7-1904"),
    ],
)
def test_what_is_not_shown_cannot_be_guessed_by_asking_which_rows_have_it(cashier_client, table, asked):
    assert cashier_client.get(f"/admin/{table}/?{asked}").status_code == 400
    assert cashier_client.get(f"/admin/{table}/?id__exact=1").status_code == 200


def test_only_the_admin_may_evaluate(admin_client):
    policy = admin_client.get("/admin/")["Content-Security-Policy"]
    assert "'unsafe-eval'" in policy
    assert "'unsafe-inline'" not in policy
    assert "unsafe" not in admin_client.get("/console/")["Content-Security-Policy"]
    assert "unsafe" not in admin_client.get("/admin/no-such-page/")["Content-Security-Policy"]


def test_the_door_is_the_staff_s(admin_client, operator_client, cashier_client, outsiders, client):
    for staff in (admin_client, operator_client, cashier_client):
        assert staff.get("/admin/").status_code == 200
    for who, outsider in outsiders.items():
        assert outsider.get("/admin/").status_code == 404, who
        assert outsider.get("/admin/people/person/").status_code == 404, who
    assert client.get("/admin/")["Location"] == "/staff/sign-in/?next=%2Fadmin%2F"
    assert admin_client.get("/admin/password_change/").status_code == 404
    half = type(client)()
    half.force_login(operator_client.person.account, backend="django.contrib.auth.backends.ModelBackend")
    assert half.get("/admin/")["Location"].startswith("/staff/password/")
