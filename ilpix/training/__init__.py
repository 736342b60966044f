"""From labels to a classifier in the project, and how good it is."""
