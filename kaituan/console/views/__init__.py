"""The operator's pages by what they are about."""
