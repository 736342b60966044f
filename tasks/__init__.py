"""One file in, one file out: the tasks of ilpix, typed, retried, cached and recorded."""
