"""The live panel: an experiment with levers, moved by hand in a notebook and answered by the model."""
