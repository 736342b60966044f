"""How Ilastik is run outside of this process: the engines of ilpix but the embedded one."""
