"""The benchmark: one table in one run, ours and other people's implementations side by side.

A package that stands on the standard library alone, since openvc-core runs parts of it in an environment of its own.
"""
