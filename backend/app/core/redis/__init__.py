"""The connection to Redis, and the request budgets that are kept there."""
