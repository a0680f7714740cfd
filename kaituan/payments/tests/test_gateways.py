"""Which gateways a station takes money by: the sandbox, which moves none, only where it was asked for."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from kaituan.payments.gateways import registry

ROOT = Path(__file__).resolve().parents[3]
ASK = (
    "import django; django.setup()\n"
    "from kaituan.payments.gateways.registry import GATEWAYS, gateway_for\n"
    "print(sorted(GATEWAYS), gateway_for(channel='sandbox').channel)"
)


def asked(**said: str) -> str:
    """What a process with these variables offers."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK], capture_output=True, text=True, timeout=60, check=True,
        cwd=ROOT, env={"DJANGO_SETTINGS_MODULE": "kaituan.config.settings", **said},
    )  # fmt: skip
    return done.stdout.strip()


def test_a_station_offers_no_sandbox_unless_it_is_told_to():
    assert asked() == "[] sandbox", "yet money that it took once goes back through it"


@pytest.mark.parametrize("said", [{"KAITUAN_DEMO": "1"}, {"KAITUAN_GATEWAYS": "sandbox"}])
def test_a_demo_has_it_and_who_asks_for_it(said):
    assert asked(**said) == "['sandbox'] sandbox"


def test_a_gateway_that_there_is_not_is_refused_at_the_start():
    with pytest.raises(ImproperlyConfigured, match="'paypall'"):
        registry.offered(["paypall"])
