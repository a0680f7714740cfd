"""`kaituan staff`: open a staff account from the keyboard; the first one has nobody else to open it."""

from enum import StrEnum
from typing import Annotated

import typer

from kaituan.cli.environment import DataOption, environment, one_line_errors

EXAMPLE = "Example: kaituan staff chen --name 陈店长 --role admin --data /var/lib/kaituan"


class Role(StrEnum):
    """The roles of people.StaffRole."""

    ADMIN = "admin"
    OPERATOR = "operator"
    CASHIER = "cashier"
    DRIVER = "driver"


def staff(
    username: Annotated[str, typer.Argument(help="What they sign in with.")],
    name: Annotated[str, typer.Option(help="Their name, as colleagues read it.")],
    role: Annotated[Role, typer.Option(help="What they may do.")],
    data: DataOption = None,
    password: Annotated[
        str,
        typer.Option(
            envvar="KAITUAN_STAFF_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True,
            help="Asked for when not given; at least 10 characters.",
        ),
    ] = "",
) -> None:  # fmt: skip
    """Open a staff account with a role. The second factor is set up at the first sign-in."""
    with one_line_errors(), environment(data):
        from django.db import transaction
        from django.utils import timezone

        from kaituan.people.refusals import PeopleRefused
        from kaituan.people.services import create_staff_account, grant_role

        now = timezone.now()
        try:
            with transaction.atomic():
                account = create_staff_account(
                    name=name, username=username, password=password, acting_person=None, now=now
                )
                grant_role(person=account.person, role=role, acting_person=None, now=now)
        except PeopleRefused as refusal:
            typer.echo(str(refusal), err=True)
            raise typer.Exit(2) from None
        typer.echo(f"{username} can sign in at /staff/sign-in/ as {role}.")
