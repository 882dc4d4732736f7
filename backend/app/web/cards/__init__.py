"""The cards of a gene's page, one for each source.

`card` assembles a card. `drawing` draws the pictures that a source declares, using the shapes of
`shapes`. `facts` lists the fields without a picture, and `values` formats single values. No module
refers to a particular source.
"""
