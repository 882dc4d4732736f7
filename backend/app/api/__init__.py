"""HTTP as JSON, one module for each group of addresses. `app.main` puts them together."""
