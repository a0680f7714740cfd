"""A leader with a group, and goods in the selection pool."""

from datetime import date, timedelta

import pytest

from kaituan.campaigns.services import OfferTerms, Terms, create_listing, open_draft, publish
from kaituan.people.models import StaffRole
from tests import factories as make
from tests.factories import NOON, PLAN


@pytest.fixture
def town():
    make.plan()

    class Town:
        leader = make.leader("王姐")
        group = make.group(leader)
        operator = make.person("运营小李")
        oranges = make.variant(name="5斤装", purchase_price_fen=11200, steps_per_purchase_unit=4)
        apples = make.variant(
            make.product("红富士苹果"),
            base_step="gram",
            sale_unit="斤",
            steps_per_sale_unit=500,
            purchase_unit="筐",
            steps_per_purchase_unit=20_000,
            sale_price_fen=580,
            purchase_price_fen=12_000,
        )
        stock = make.pool(oranges, 100)

        def terms(self, **fields):
            return Terms(
                **{
                    "title": "周五水果团",
                    "opens_at": NOON,
                    "closes_at": NOON + timedelta(hours=10),
                    "pickup_on": date(2026, 10, 2),
                    **fields,
                }
            )

        def offers(self, **fields):
            return [
                OfferTerms(variant_id=self.oranges.pk, **fields),
                OfferTerms(variant_id=self.apples.pk, price_fen=498, private_quantity=50_000),
            ]

        def draft(self, *, offers=None, by=None, now=NOON, **fields):
            return open_draft(
                terms=self.terms(**fields),
                offers=self.offers() if offers is None else offers,
                acting_person=by or self.leader.person,
                now=now,
            )

        def publish(self, campaign, *, now=NOON, version=None):
            return publish(
                campaign=campaign,
                plan_version=PLAN,
                expected_version=version or campaign.version,
                acting_person=self.leader.person,
                now=now,
            )

        def open(self, *, now=NOON, **fields):
            return self.publish(self.draft(now=now, **fields), now=now)

        def list(self, campaign, group=None, *, now=NOON, **fields):
            group = group or self.group
            return create_listing(
                **{
                    "campaign": campaign,
                    "group": group,
                    "leader": group.owner,
                    "acting_person": group.owner.person,
                    "now": now,
                    **fields,
                }
            )

    StaffRole.objects.create(person=Town.operator, role="operator", effective_from=NOON)
    return Town()
