"""What a scientist brings: files and folders of images, found, recognised and read as channels."""
