"""What is wrong with a project and prepared images, before anything runs."""
