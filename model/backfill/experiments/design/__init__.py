"""The best package of measures: levers, worlds at their values, the search, and what is written of it."""
