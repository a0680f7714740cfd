"""The PostgreSQL that comes along: start it, stop it, never touch another."""
