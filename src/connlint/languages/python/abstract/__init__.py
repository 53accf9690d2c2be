"""Lowering of the trees that Python itself makes (`ast`): the same programs, at a quarter of the price.

A concrete tree takes ten times as long to parse, and its tokens have to be stepped over one by one; `ast` says where
its nodes stand. What it leaves out (parentheses, fields of f-strings, some names) is found in the text beside it.

It reads what the running interpreter understands. Whatever is new to it, or is not as expected here, raises, and the
file is left to the concrete tree: which one it was cannot be told from the program.
"""
