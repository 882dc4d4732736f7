"""Measurements. Each module or package is one of them; those that begin with `_` are shared."""
