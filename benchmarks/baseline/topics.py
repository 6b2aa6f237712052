"""A topic as the name of a channel-layer group."""


def group_of(topic: str) -> str:
    """The group of those who subscribed to this topic."""
    return topic.replace(":", ".").replace("*", "all")
