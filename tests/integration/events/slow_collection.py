"""Aggregations that take their time."""

from typing import Any


class SlowCollection:
    """Takes a tenth of a second over each event."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def aggregate(self, pipeline: list[dict[str, Any]], **options: Any) -> Any:
        body = {"body": "function() { sleep(100); return true; }", "args": [], "lang": "js"}
        slow = {"$match": {"$expr": {"$function": body}}}
        return self._collection.aggregate([slow, *pipeline], **options)

    def is_running(self, client: Any) -> bool:
        """Whether an aggregation is being worked at."""
        wanted = {"ns": self._collection.full_name}
        return bool(list(client.admin.aggregate([{"$currentOp": {}}, {"$match": wanted}])))
