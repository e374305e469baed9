"""The contracts on the terminal (`shelf`), and what would be due when (`trial`)."""
