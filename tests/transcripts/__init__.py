"""What the program says, word for word."""
