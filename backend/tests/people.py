"""Who acts in the tests."""

from app.core.runs.actors import Actor, Way

ADA = Actor("ada@lab3", Way.CLI)
