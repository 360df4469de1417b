"""Games among governments: pay-offs of alignment, equilibria, coalitions, deterrence, incentives (economics, section 10).

Arrays in, answers out: nothing here solves a world, reads a file or knows what a product is. Every player has a level of
alignment, one axis each, so that a tensor ``[player, *levels]`` holds what each gets at every profile.
"""
