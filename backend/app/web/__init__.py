"""Pages for a browser, on the same query functions as the API and the command line."""
