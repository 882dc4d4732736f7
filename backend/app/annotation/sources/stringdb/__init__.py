"""STRING: the proteins with which a gene's proteins form complexes."""
