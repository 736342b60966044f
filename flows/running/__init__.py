"""One run of a verb: how its tasks are run, what became of each image, the manifest."""
