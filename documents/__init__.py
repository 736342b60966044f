"""The reference pages, written from the code that they describe.

`python -m documents` writes them to `docs/reference`; a test compares what is there with what would
be written. Each module makes one page.
"""
