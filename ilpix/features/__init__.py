"""The feature bank: which features are chosen, and their values for an image."""
