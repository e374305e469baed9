"""What asks yes or no and a time."""
