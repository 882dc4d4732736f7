"""GenCC: how well gene-disease relationships are established, by submitter."""
