"""The events that an identity may read, as it may subscribe (EVENTS_VISIBILITY)."""

from __future__ import annotations

from django.conf import settings

from events.domain.topics import AGENT_SCOPE, ANY, CUSTOMER_SCOPE, Pattern, known_resources
from events.domain.visibility import NotVisible, UnknownCustomer, Visible
from events.log import reader
from subscriptions.models import Customer
from subscriptions.protocol.permissions import Identity, Verdict, may_hold, may_subscribe


def visible_to(identity: Identity, customer_id: str | None) -> Visible:
    """Return what the identity may read of this customer, by default its own.

    Raises:
        NotVisible: The identity may read nothing of the customer.
        UnknownCustomer: The customer does not exist; raised only for platform staff.
    """
    if not identity.may_subscribe:
        raise NotVisible("This access key may not read: use one that may subscribe")
    customer_id = customer_id or identity.customer_id

    def verdict(resource: str) -> Verdict:
        return may_hold(identity, Pattern(CUSTOMER_SCOPE, customer_id, resource, ANY))

    everything = verdict(ANY)
    own_agent = identity.agent_id if customer_id == identity.customer_id else None
    if everything.granted:
        visible = Visible(
            customer_id,
            None,
            own_agent,
            identity.allowed_topics,
            identity.filter,
            summary_queues=identity.summary_queues,
            counts_agents=identity.is_display,
        )
        _require_something(visible, identity)
        if customer_id != identity.customer_id and not _exists(customer_id):
            raise UnknownCustomer(f"There is no customer {customer_id}")
        return visible
    granted = {name for name in known_resources(settings.EVENTS_EXTRA_RESOURCES) if verdict(name).granted}
    sees_own_agent = (
        own_agent is not None and may_hold(identity, Pattern(AGENT_SCOPE, own_agent, ANY, ANY)).granted
    )
    if not granted and not sees_own_agent:
        raise NotVisible(everything.message)
    visible = Visible(
        customer_id,
        frozenset(granted),
        own_agent if sees_own_agent else None,
        identity.allowed_topics,
        identity.filter,
    )
    _require_something(visible, identity)
    return visible


def _require_something(visible: Visible, identity: Identity) -> None:
    """Check that an access key's allowed topics include something of this customer.

    Raises:
        NotVisible: They do not.
    """
    if visible.allowed is not None and not visible.of_customer and not visible.of_agent:
        everything = Pattern(CUSTOMER_SCOPE, visible.customer_id, ANY, ANY)
        raise NotVisible(may_subscribe(identity, everything).message)


def _exists(customer_id: str) -> bool:
    # Customers of VoIPBIN may have events without a row here.
    return bool(reader.heads([customer_id])) or Customer.objects.filter(pk=customer_id).exists()
