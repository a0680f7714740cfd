"""The least that the same work could cost on this machine: what the figures of the README stand beside."""
