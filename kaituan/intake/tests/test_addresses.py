"""How many live chains one address may have open."""

import os
import subprocess
import sys

import pytest

from kaituan.intake.addresses import AddressBook, network_of
from kaituan.intake.tests.test_chain import Town
from kaituan.intake.tests.visiting import Stream, until, visit


@pytest.mark.django_db(transaction=True)
def test_an_address_gets_so_many_chains_and_others_go_on_looking(settings):
    settings.KAITUAN_STREAMS_PER_ADDRESS = 2
    town = Town()
    listing = town.listing.public_id

    async def scenario(site):
        first, second = (Stream(site, listing, address="203.0.113.7") for _ in range(2))
        await until(lambda: first.text and second.text)
        third = Stream(site, listing, address="203.0.113.7", language="en")
        await third.ended()
        assert (third.status, third.headers["retry-after"]) == (429, "60")
        assert third.text == (
            "Too many live pages are open from your network: close some, or look again in a minute.\n"
        )
        neighbour = Stream(site, listing, address="203.0.113.8")
        await until(lambda: neighbour.text)
        assert (neighbour.status, site.process.chains.client_count) == (200, 3)
        # Who leaves makes room.
        await first.leave()
        fourth = Stream(site, listing, address="203.0.113.7")
        await until(lambda: fourth.text)
        assert fourth.status == 200
        for stream in (second, neighbour, fourth):
            await stream.leave()
        assert site.process.chains._addresses == AddressBook(2)

    visit(scenario)


@pytest.mark.django_db(transaction=True)
def test_a_chain_that_is_not_there_takes_no_place(settings):
    settings.KAITUAN_STREAMS_PER_ADDRESS = 1
    town = Town()

    async def scenario(site):
        for _ in range(3):
            nowhere = Stream(site, "nosuchlisting")
            await nowhere.ended()
            assert nowhere.status == 404
        there = Stream(site, town.listing.public_id)
        await until(lambda: there.text)
        assert there.status == 200
        await there.leave()

    visit(scenario)


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("not:an:address", "not:an:address", True),
    ],
)
def test_an_ipv6_home_is_one_address(one, other, are_one):
    assert (network_of(one) == network_of(other)) is are_one


def test_who_comes_without_an_address_is_not_counted():
    book = AddressBook(1)
    for scope in ({}, {"client": None}, {"client": ("", 0)}):
        assert book.enter(scope) == book.enter(scope) == ""
    book.leave("")
    assert book == AddressBook(1)


@pytest.mark.parametrize("given", ["0", "-1", "many", "10001", "1.5", "٣"])
def test_a_limit_that_is_none_is_refused_at_the_start(given):
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        env={**os.environ, "KAITUAN_STREAMS_PER_ADDRESS": given, "DJANGO_SETTINGS_MODULE": "kaituan.config.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert (
        f"KAITUAN_STREAMS_PER_ADDRESS must be a whole number from 1 to 10000, not '{given}'." in done.stderr
    )
