"""The names of channel-layer groups."""


def group_of(topic: str) -> str:
    """The group of this topic's subscribers."""
    return topic.replace(":", ".").replace("*", "all")
