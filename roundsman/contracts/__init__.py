"""A contract in plain words (`page`), and what would be due when (`trial`)."""
