"""What the model says of 2022 to 2025 when it is told the rules and world demand, against what was seen."""
