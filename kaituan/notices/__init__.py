"""Telling people: inbox, text for the chat, senders; fed by the outbox."""
