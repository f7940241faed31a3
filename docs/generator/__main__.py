"""Writes the reference pages."""

from docs.generator import DIRECTORY, pages

for name, text in pages().items():
    (DIRECTORY / name).write_text(text)
    print(f"wrote {DIRECTORY / name}")
