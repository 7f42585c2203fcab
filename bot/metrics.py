"""What the rooms count, for Prometheus. A registry of its own: nothing is built at import time."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WAITS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)


class Metrics:
    """Every figure this service shows; names stand in the contract."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "vistnyk_deliveries",
            "Deliveries that came to an end, by outcome.",
            ("channel", "platform", "kind", "outcome"),
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "vistnyk_queue_depth", "Deliveries now in a state.", ("channel", "state"), registry=self.registry
        )
        self.publish_seconds = Histogram(
            "vistnyk_publish_seconds", "How long the platform's call took.", buckets=_SECONDS, registry=self.registry
        )
        self.article_to_post_seconds = Histogram(
            "vistnyk_article_to_post_seconds",
            "From an article's arrival to its post.",
            buckets=_WAITS,
            registry=self.registry,
        )
        self.source_success = Gauge(
            "vistnyk_source_last_success_timestamp_seconds",
            "When a source last answered.",
            ("source",),
            registry=self.registry,
        )
        self.source_errors = Counter(
            "vistnyk_source_errors",
            "Looks at a source, or articles of it, that failed.",
            ("source",),
            registry=self.registry,
        )
        self.throttled = Counter(
            "vistnyk_throttled", "Calls a platform told us to repeat later.", ("platform",), registry=self.registry
        )
        self.channel_access = Gauge(
            "vistnyk_channel_access", "1 while token and rights hold, else 0.", ("channel",), registry=self.registry
        )
        self.heartbeat = Gauge(
            "vistnyk_heartbeat_timestamp_seconds", "When the worker last looked.", registry=self.registry
        )
