"""The troubleshooting checks: runs them, and reports what they found.

Components own their checks. `registry` lists all of them, `run` executes them, `report` writes the
results, `treat` repairs, and `recipes` are the commands that take the steps of errors. `checks` has
those that belong to no component.
"""
