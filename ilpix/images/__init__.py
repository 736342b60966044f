"""What comes in: panel, images, their preparation, crops, and Ilastik's HDF5."""
