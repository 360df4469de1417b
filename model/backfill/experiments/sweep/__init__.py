"""Sweeps: an experiment solved at thousands of levers and parameters."""
