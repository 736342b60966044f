"""Make an existing project and its crops fit, and be able to go back."""
