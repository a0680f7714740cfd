"""Signing in: a code to the phone for members and leaders, password and second factor for staff."""
