"""Counts the slots of a budget that were taken, so that people see how much of it is in use.

Nothing depends on these counts. They are those of the present and of the former period, from which
the number in the last :data:`PERIOD` seconds is estimated.
"""

from dataclasses import dataclass

PERIOD = 10.0
"""Seconds over which the slots are counted. Within one second, a slow budget may have no slot."""

_LENGTH = round(PERIOD * 1e6)

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
"""The same as :meth:`SlotCounts.plus`, in Redis. It needs the function `moment`."""


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """The slots of one budget that were taken.

    Attributes:
        period: the number of the latest period in which a slot is.
        used: the slots in it.
        before: the slots in the period before it.
    """

    period: int = 0
    used: int = 0
    before: int = 0

    def plus(self, slot: int) -> "SlotCounts":
        """Count a slot.

        Args:
            slot: its time, in microseconds.
        """
        period = slot // _LENGTH
        if period == self.period:
            return SlotCounts(period, self.used + 1, self.before)
        return SlotCounts(period, 1, self.used if self.period == period - 1 else 0)

    def recent(self, now: int) -> float:
        """Estimate how many slots there were in the last :data:`PERIOD` seconds.

        Args:
            now: in microseconds.
        """
        period, past = divmod(now, _LENGTH)
        left = 1 - past / _LENGTH
        if self.period == period:
            return self.used + self.before * left
        if self.period == period + 1:
            # the latest slot is still to come
            return float(self.before)
        return self.used * left if self.period == period - 1 else 0.0
