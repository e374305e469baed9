"""What Roundsman costs, side by side with its peers in one run: `make bench`. It measures; it asserts nothing."""
