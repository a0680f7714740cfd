"""Claims to decide, groups and their members, the goods' arrival, the list to print."""

import pytest

from kaituan.aftersales.models import Claim
from kaituan.aftersales.services import open_claim
from kaituan.fulfilment.handover import hand_over
from kaituan.fulfilment.models import Arrival
from kaituan.fulfilment.tests.conftest import EVENING, MORNING
from kaituan.people.models import PersonalDataAccess
from kaituan.web import clock
from kaituan.workbench.tests.conftest import text_of


@pytest.fixture
def claim(arrived):
    hand_over(
        lines_quantities=dict(arrived.paid.lines.values_list("pk", "quantity")), method="name",
        leader=arrived.leader, acting_person=arrived.leader.person, now=EVENING, key="k",
    )  # fmt: skip
    return open_claim(
        line=arrived.paid.lines.order_by("pk")[0], reason="quality", words="两个坏了", asked_fen=1500, photos=[],
        acting_person=arrived.zhang.person, now=EVENING, key="c1",
    )  # fmt: skip


def decision(**fields):
    return {"amount": "15.00", "liability": "supplier", "answer": "对不起", "grant": "", **fields}


def fresh(claim):
    return Claim.objects.get(pk=claim.pk)


def test_granting_twice_gives_back_once(arrived, claim, owner):
    url = f"/work/claims/{claim.public_id}/"
    assert "两个坏了" in text_of(owner.get(url))
    for _ in range(2):
        owner.post(url, decision(amount="10.00"))
    assert (fresh(claim).status, fresh(claim).granted_fen) == ("granted", 1000)
    assert [refund.amount_fen for refund in arrived.paid.refunds.all()] == [1000]


@pytest.mark.parametrize(
    "wrong", [{"amount": "0"}, {"amount": "x"}, {"amount": "999"}, {"liability": "leader"}]
)
def test_a_wrong_decision_keeps_what_was_typed(claim, owner, wrong):
    answer = owner.post(f"/work/claims/{claim.public_id}/", decision(**wrong))
    assert answer.status_code == 422
    assert "对不起" in text_of(answer)
    assert fresh(claim).status == "open"


def test_refusing_wants_a_word_for_the_member(claim, owner):
    url = f"/work/claims/{claim.public_id}/"
    assert owner.post(url, {"refuse": "", "answer": ""}).status_code == 422
    owner.post(url, {"refuse": "", "answer": "照片里是好的"})
    assert (fresh(claim).status, fresh(claim).answer) == ("refused", "照片里是好的")


def test_who_decides(claim, helper, stranger, buyer, nobody):
    url = f"/work/claims/{claim.public_id}/"
    for client in (stranger, buyer):
        assert client.get(url).status_code == 404
        assert client.post(url, decision()).status_code == 404
    assert nobody.get(url)["Location"].startswith("/sign-in/")
    assert "张敏" not in text_of(stranger.get("/work/claims/"))
    assert fresh(claim).status == "open"
    helper.post(url, decision())
    assert fresh(claim).status == "granted"


def test_a_member_is_added_once_and_found_again(town, owner):
    url = f"/work/groups/{town.listing.group.public_id}/"
    answer = owner.post(url, {"name": "郑大妈", "room": "5-101", "phone": ""}, follow=True)
    assert "郑大妈" in text_of(answer)
    assert "5-101" in text_of(owner.get(url, {"q": "郑"}))
    assert "郑大妈" not in text_of(owner.get(url, {"q": "张"}))


@pytest.mark.parametrize("wrong", [{"name": ""}, {"phone": "12"}])
def test_a_member_that_cannot_be_keeps_what_was_typed(town, owner, wrong):
    url = f"/work/groups/{town.listing.group.public_id}/"
    answer = owner.post(url, {"name": "郑大妈", "room": "9-909", **wrong})
    assert answer.status_code == 422
    assert "9-909" in text_of(answer)
    assert not town.listing.group.members.filter(room="9-909").exists()


def test_a_group_is_its_leaders(town, helper, stranger, buyer, nobody):
    url = f"/work/groups/{town.listing.group.public_id}/"
    assert helper.get(url).status_code == 200
    for client in (stranger, buyer):
        assert client.get(url).status_code == 404
        assert client.post(url, {"name": "郑大妈"}).status_code == 404
    assert nobody.get(url)["Location"].startswith("/sign-in/")


def test_saying_twice_that_the_goods_are_here_says_it_once(town, owner, stranger):
    town.paid_order(town.zhang, (town.oranges, 1))
    town.cut_off()
    town.send_all()
    town.receive(town.oranges, 4)
    town.share_out(town.oranges)
    url = f"/work/l/{town.listing.public_id}/arrived/"
    with clock.standing_at(MORNING):
        assert stranger.post(url).status_code == 404
        assert "货到了" in text_of(owner.get(f"/work/l/{town.listing.public_id}/"))
        for _ in range(2):
            assert owner.post(url).status_code == 302
    assert Arrival.objects.filter(campaign=town.campaign).count() == 1


def test_before_the_cut_off_nothing_arrives(town, owner):
    page = owner.post(f"/work/l/{town.listing.public_id}/arrived/", follow=True)
    assert "notice brick" in text_of(page)
    assert not Arrival.objects.exists()


def test_the_pickup_list_has_names_and_rooms_and_taking_it_is_logged(arrived, owner, stranger, nobody):
    url = f"/work/l/{arrived.listing.public_id}/pickup-list/"
    assert stranger.post(url).status_code == 404
    assert nobody.post(url)["Location"].startswith("/sign-in/")
    assert owner.get(url).status_code == 405
    assert not PersonalDataAccess.objects.exists()
    page = text_of(owner.post(url))
    assert "张敏" in page
    assert "3-502" in page
    assert PersonalDataAccess.objects.get().actor == arrived.leader.person
