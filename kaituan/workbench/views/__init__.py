"""The leader's pages by what they are about."""
