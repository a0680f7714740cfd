"""Why money was not taken or given: every refusal has a name, its message is for the person who reads it."""


class PaymentRefused(Exception):
    """The payment, refund or remittance cannot be made; the message says why and what to do."""


class NothingToPay(PaymentRefused):
    """The order is paid, cancelled or released."""


class AlreadyDone(PaymentRefused):
    """Somebody has done this before; nothing was changed."""
