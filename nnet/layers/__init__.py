"""Modules with parameters or a mode of their own, over the functions of the same name."""
