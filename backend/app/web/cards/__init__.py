"""The cards of the page of a gene: one for each source.

`card` puts a card together. `drawing` draws the pictures that a source declares, of what `shapes`
describes. `facts` lists the fields that no picture shows, and `values` writes single values. None
of them names a source.
"""
