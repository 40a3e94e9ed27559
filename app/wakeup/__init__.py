"""Bells: whoever commits work rings, and a worker that waits hears it at once.

Knows sockets and Redis, and nothing of what the work is. Only latency hangs on a bell: work is found by a
poll in any case, so ringing never raises and a bell that is gone is waited out.
"""

from app.wakeup.bells import Wakeup
from app.wakeup.local import LocalWakeup
from app.wakeup.redis import RedisWakeup

__all__ = ["LocalWakeup", "RedisWakeup", "Wakeup"]
