"""Write the reference pages of `docs`."""

from documents.pages import REFERENCE, reference_pages
from ilpix.files import write_text

if __name__ == "__main__":
    for name, text in reference_pages().items():
        write_text(REFERENCE / name, text)
