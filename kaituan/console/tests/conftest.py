"""A town in the middle of its day, and one browser for every kind of visitor."""

import time

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from kaituan.people.models import Account
from kaituan.people.services import create_staff_account, grant_role
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _plain_passwords(settings):
    # Every browser here signs in for real; a hash that takes its time would be most of the test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def browser() -> Client:
    return Client(headers={"accept-language": "en"})


def staff_account(role: str, name: str) -> Account:
    account = create_staff_account(
        name=name, username=f"{role}-{name}", password=PASSWORD, acting_person=None, now=NOON
    )
    grant_role(person=account.person, role=role, acting_person=None, now=NOON)
    return account


def type_password(client: Client, account: Account) -> None:
    client.post("/staff/sign-in/", {"username": account.username, "password": PASSWORD})


def sign_in(account: Account) -> Client:
    """Password, then the code of the second factor, as staff do."""
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(account, secret)
    client = browser()
    type_password(client, account)
    code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    client.post("/staff/sign-in/code/", {"code": code})
    return client


def _staff_client(role: str, name: str) -> Client:
    account = staff_account(role, name)
    client = sign_in(account)
    client.person = account.person
    return client


@pytest.fixture
def admin_client(db):
    return _staff_client("admin", "陈总")


@pytest.fixture
def operator_client(db):
    return _staff_client("operator", "刘运营")


@pytest.fixture
def cashier_client(db):
    return _staff_client("cashier", "周会计")


@pytest.fixture
def outsiders(db):
    """Everybody who is signed in and has no business in the console."""
    supplier = make.supplier()
    seller = make.account(make.person("供货员"))
    supplier.staff.create(person=seller.person, effective_from=NOON)
    accounts = {
        "leader": make.account(make.leader("赵姐").person),
        "supplier": seller,
        "member": make.account(make.person("孙敏")),
    }
    clients = {}
    for who, account in accounts.items():
        clients[who] = browser()
        clients[who].force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return clients


@pytest.fixture
def noon():
    with clock.standing_at(NOON):
        yield NOON
