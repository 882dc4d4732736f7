"""The folder that the program runs from."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
"""The top folder of the checkout, where `.env` and `.run/` are."""

SERVICES_ENV = ROOT / ".run" / "services.env"
"""The file with the addresses of the servers that were started for this checkout."""
