"""Where the settings come from, whether they can be used, and who else reads them differently."""

from app.doctor.check import Check
from app.doctor.checks.config import env_file, example, placeholders, readers, surroundings, values

CHECKS: tuple[Check, ...] = (
    env_file.env_file,
    env_file.mode,
    values.keys,
    values.valid,
    values.shadowed,
    placeholders.secrets,
    readers.read_alike,
    surroundings.network,
    surroundings.cache_dir,
    example.example,
)
