"""Staff rights need the second factor on every page, not in the console alone."""

from django.urls import reverse

from kaituan.aftersales.models import Claim
from kaituan.console.tests.conftest import browser
from kaituan.web import clock
from tests.test_every_address import in_the_evening


def test_an_operator_who_is_half_signed_in_has_no_rights_on_the_leaders_pages(operator_client):
    town = in_the_evening()
    case = reverse("workbench:claim", args=[Claim.objects.get().public_id])
    draft = reverse("workbench:draft", args=[town.campaign.public_id])
    half = browser()
    half.force_login(operator_client.person.account, backend="django.contrib.auth.backends.ModelBackend")
    with clock.standing_at(town.now):
        assert operator_client.get(case).status_code == 200
        assert operator_client.get(draft).status_code == 302
        assert half.get(case).status_code == 404
        assert half.get(draft).status_code == 404
        assert half.post(case, {"amount": "1", "liability": "platform"}).status_code == 404
        assert half.get("/console/")["Location"].startswith("/staff/password/"), "and is told how to go on"
    assert Claim.objects.get().status == "open"
