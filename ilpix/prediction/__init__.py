"""From a project and a prepared image to probabilities, and pictures of them."""
