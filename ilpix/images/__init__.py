"""Panel, preparation, crops, and Ilastik's HDF5."""
