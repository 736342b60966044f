"""Ilastik pixel classification of multiplexed tissue images: arrays, files and the science."""
