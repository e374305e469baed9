"""What commands show of serial lines."""
