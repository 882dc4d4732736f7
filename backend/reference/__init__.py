"""Writes the generated parts of the documentation and `.env.example` from the code."""
