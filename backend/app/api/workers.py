from app.annotation.overview.budgets import Status, read_budgets, status
from app.api import routers
from app.api.services import ServicesDep
from app.core.redis.health_line import read_health_line

router = routers.admin_router("", "admin")


@router.get(
    "/worker-status",
    summary="Show the workers and the queue",
    response_description="The workers and the queue",
)
async def worker_status(services: ServicesDep) -> Status:
    """Return the workers, the queued runs, and the use of the request budgets."""
    arq_health = await read_health_line(services.redis)
    budgets = await read_budgets(services.settings, services.budgets)
    async with services.db.connect() as connection:
        return await status(connection, budgets, arq_health=arq_health)
