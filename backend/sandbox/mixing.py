_MASK = (1 << 64) - 1


def mix(seed: int, number: int) -> int:
    """Return 64 pseudorandom bits for a number, reproducible on every platform (splitmix64)."""
    x = (number * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03 + 1) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)
