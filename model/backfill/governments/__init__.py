"""Choices of governments: the search for a best package as mathematics, without worlds."""
