"""The program `ilpix`: the command line, and a temporary server that starts beside its imports."""
