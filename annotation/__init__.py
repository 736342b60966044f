"""`ilpix annotate`: label in the browser, by a server on this machine that answers each stroke."""
