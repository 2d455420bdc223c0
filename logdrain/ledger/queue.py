"""The queue: what a schedule's row says of its slices, so that a claim need not look at all of them.

Whoever moves slices of a schedule holds the lock on its row, and calls `requeue` before letting go. A renewed
lease is the one thing that is not written through: who finds it run out looks at the slice, and requeues.
"""

from logdrain.ports.transactions import Transaction


def requeue(transaction: Transaction, *schedules: str) -> None:
    """Say in the rows of these schedules what their slices say.

    So it does with schedules that were held by one of these and are no more. One that somebody else has
    locked is left to `chains.free`.
    """
    if schedules:
        transaction.execute(
            "SELECT logdrain.requeue(name) FROM unnest(%s::text[]) AS name", (list(schedules),)
        )


def lock(transaction: Transaction, schedule: str) -> None:
    """Hold a schedule's row until the transaction ends; nothing happens where there is none."""
    transaction.execute("SELECT FROM logdrain.schedules WHERE name = %s FOR NO KEY UPDATE", (schedule,))
