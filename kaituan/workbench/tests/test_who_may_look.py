"""Every page of the workbench: for the owner and the helper, not found for anybody else, a door for nobody."""

import pytest

LISTING_PAGES = [
    "", "share/", "poster.png", "text/", "orders/", "paste/", "match/", "unpaid/", "key-in/",
]  # fmt: skip
HELPERS_TOO = ["", "counter/", "groups/", "claims/"]
LEADERS_ONLY = ["open/", "help-sell/", "money/", "money/remit/", "money/withdraw/", "tier/"]


@pytest.mark.parametrize("page", LISTING_PAGES)
class TestPagesOfAListing:
    def url(self, town, page):
        return f"/work/l/{town.listing.public_id}/{page}"

    def test_the_owner_and_the_helper_see_it(self, town, owner, helper, page):
        town.order(town.zhang, (town.oranges, 1))
        assert owner.get(self.url(town, page)).status_code == 200
        assert helper.get(self.url(town, page)).status_code == 200

    def test_another_leader_and_a_member_do_not(self, town, stranger, buyer, page):
        assert stranger.get(self.url(town, page)).status_code == 404
        assert buyer.get(self.url(town, page)).status_code == 404

    def test_nobody_is_asked_to_sign_in(self, town, nobody, page):
        assert nobody.get(self.url(town, page))["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("page", HELPERS_TOO)
def test_pages_that_a_helper_needs_too(town, owner, helper, stranger, buyer, nobody, page):
    for client in (owner, helper, stranger):
        assert client.get(f"/work/{page}").status_code == 200
    assert nobody.get(f"/work/{page}")["Location"].startswith("/sign-in/")
    if page in ("", "counter/"):
        assert buyer.get(f"/work/{page}").status_code == 404


@pytest.mark.parametrize("page", LEADERS_ONLY)
def test_pages_about_money_and_opening_are_for_leaders(town, owner, stranger, helper, buyer, nobody, page):
    for client in (owner, stranger):
        assert client.get(f"/work/{page}").status_code == 200
    for client in (helper, buyer):
        assert client.get(f"/work/{page}").status_code == 404
    assert nobody.get(f"/work/{page}")["Location"].startswith("/sign-in/")


def test_after_the_cut_off_and_the_arrival_the_pages_still_stand(arrived, owner):
    for page in LISTING_PAGES:
        assert owner.get(f"/work/l/{arrived.listing.public_id}/{page}").status_code == 200, page
    for page in ("", "counter/", "money/"):
        assert owner.get(f"/work/{page}").status_code == 200, page
