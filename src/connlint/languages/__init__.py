"""One folder a language: readers, outlines and edits."""
