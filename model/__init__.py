"""The words and the rules: pure, no I/O, no clock."""
