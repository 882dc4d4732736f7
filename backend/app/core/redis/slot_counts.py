"""Counts the used slots of a budget, for display.

Nothing else depends on these counts. There is one for the current and one for the previous period,
from which the number in the last :data:`COUNTED_SECONDS` seconds is estimated.
"""

from dataclasses import dataclass

COUNTED_SECONDS = 10.0
"""The counting period in seconds. It exceeds one second because a slow budget has few slots."""

_LENGTH = round(COUNTED_SECONDS * 1e6)

FIELDS = ("period", "used", "before")
"""The fields of a budget's hash in Redis."""

COUNT = f"""
local function count(key, slot)
  local state = redis.call('HMGET', key, 'period', 'used', 'before')
  local period, last = math.floor(slot / {_LENGTH}), moment(state[1])
  local used, before = moment(state[2]) or 0, 0
  if last == period then
    used, before = used + 1, moment(state[3]) or 0
  else
    used, before = 1, last == period - 1 and used or 0
  end
  redis.call('HSET', key, 'period', string.format('%.0f', period),
    'used', string.format('%.0f', used), 'before', string.format('%.0f', before))
end
"""
"""The equivalent of :meth:`SlotCounts.plus` in Redis. It needs the function `moment`."""


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """The number of used slots of one budget.

    Attributes:
        period: the number of the latest period with a used slot.
        used: the number of used slots in that period.
        before: the number of used slots in the period before it.
    """

    period: int = 0
    used: int = 0
    before: int = 0

    def plus(self, slot: int) -> "SlotCounts":
        """Return the counts with one more slot.

        Args:
            slot: the time of the slot, in microseconds.
        """
        period = slot // _LENGTH
        if period == self.period:
            return SlotCounts(period, self.used + 1, self.before)
        return SlotCounts(period, 1, self.used if self.period == period - 1 else 0)

    def recent(self, now: int) -> float:
        """Estimate the number of slots used in the last :data:`COUNTED_SECONDS` seconds.

        Args:
            now: the time, in microseconds.
        """
        period, past = divmod(now, _LENGTH)
        left = 1 - past / _LENGTH
        if self.period == period:
            return self.used + self.before * left
        if self.period == period + 1:
            # the latest slot is in the future
            return float(self.before)
        return self.used * left if self.period == period - 1 else 0.0
