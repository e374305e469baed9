"""What `roundsman ticket` knows: the words that people may say of a ticket, and how one is shown."""
