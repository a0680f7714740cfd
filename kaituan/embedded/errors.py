"""The one refusal of this folder."""


class EmbeddedError(RuntimeError):
    """The embedded PostgreSQL cannot be started, shared or stopped; the message says why and what to do."""
