"""After a restore: phones know more than the database does, and must go on updating all the same.

A phone asks for what changed since the newest tag it saw, which may have been issued after the backup. So
every counter is lifted to the number of milliseconds since 1970. Between two restores a counter grows by one
a transaction, and no pass type identifier sees a thousand of those in every second: whatever was issued since
the backup is below, also where the same backup is restored for the second time. Then every pass gets the
lifted tag, and each phone is told of each of its passes when it asks next.

What Google has may be newer than the backup too: every object there is read, and made what it should be.

``Last-Modified`` stays: a phone that has the backup's version still gets a 304, and one that has a later
version names a date beyond ours, which is always answered with the whole pass.
"""

from __future__ import annotations

from datetime import datetime

from app.accounts import brands
from app.db import Tx
from app.passes import google_cards
from app.passes import store_restoring as store
from app.passes.store_passes import retag_type
from app.passes.store_tags import counted_types


def lift_tags(tx: Tx, *, now: datetime, backed_up_at: datetime) -> int:
    """Lift every counter, re-tag every pass, doubt what Google has; returns how many passes there are.

    ``backed_up_at`` guards against a clock that was set back since the backup.
    """
    google_cards.look_at_all_again(tx, now=now)
    floor = int(max(now, backed_up_at).timestamp() * 1000)
    # A brand's counter may be younger than the backup: it too must begin above what phones have seen.
    pass_types = sorted(
        {brand.pass_type_identifier for brand in brands.all_brands(tx)} | set(counted_types(tx))
    )
    return sum(
        retag_type(tx, pass_type, store.lift_tag_to(tx, pass_type, at_least=floor))
        for pass_type in pass_types
    )
