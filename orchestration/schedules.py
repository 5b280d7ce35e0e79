"""When the warehouse is built by the clock."""

from typing import Final

import dagster as dg

from orchestration.jobs import build_warehouse
from orchestration.project import shop_timezone

# Stopped by default, so that opening the UI on a laptop builds nothing. Dagster remembers the
# switch in DAGSTER_HOME once somebody has turned it on.
daily_build: Final = dg.ScheduleDefinition(
    name="daily_build",
    description="Builds everything at five in the morning on the shop's clock.",
    job=build_warehouse,
    cron_schedule="0 5 * * *",
    execution_timezone=shop_timezone(),
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
