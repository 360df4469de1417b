"""What came out, in five sentences, one file for each kind of result."""
