"""Alignment games: the ``[game]`` of an experiment, its profiles as worlds, and what comes out of it."""
