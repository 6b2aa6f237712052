"""Agents with their users, roles, queues and granted resources."""

# Long because an agent and its user are one row of the interface.

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    ListField,
    Serializer,
    UUIDField,
)

from events.api.operation import field
from events.domain.event import format_timestamp
from subscriptions.accounts.invitations import invitation_link, invite
from subscriptions.control.controller import Controller, FieldProblem, NotPermitted, Refused
from subscriptions.control.resource import Resource
from subscriptions.control.tenants import MAX_NAME, owner
from subscriptions.models import (
    CONTROLLING_ROLES,
    Agent,
    AgentRole,
    AgentStatus,
    Customer,
    Queue,
    validate_resources,
)
from subscriptions.models.limits import limit_problem, validate_limits
from subscriptions.models.teams import MAX_TEAM_CHARACTERS, MAX_TEAMS, validate_teams

MAX_QUEUES = 1000
MAX_PASSWORD = 1024
User = get_user_model()


def username_ending(customer: Customer) -> str:
    """Return the ending of the user names that the customer's own admins choose.

    User names are unique on the whole platform. Without an ending of its own, a customer could find out those of others
    by trying which are taken.
    """
    digest = hashlib.sha256(customer.pk.bytes).hexdigest()[:6]
    return f"@{'-'.join(filter(None, (slugify(customer.name)[:30], digest)))}"


def login_name(user: Any, customer: Customer, username: str, *, is_platform: bool) -> str:
    """Return the user name to store for `user`.

    A new one has the customer's ending unless the platform chooses it.

    Raises:
        ValidationError: It is taken or too long, or has other characters.
    """
    if username == user.get_username():
        return username
    ending = username_ending(customer)
    if not (is_platform or username.endswith(ending)):
        username += ending
    User._meta.get_field("username").run_validators(username)
    # User names that differ only in case would be confused.
    if User.objects.exclude(pk=user.pk).filter(username__iexact=username).exists():
        raise ValidationError(gettext("This user name is taken: choose another."))
    return username


def admin_use_problem(role: str) -> str | None:
    """Return why agents with this role cannot use the admin, or `None`."""
    if role in CONTROLLING_ROLES:
        return None
    return gettext("Only admins and platform staff may use the admin: deselect this.")


def validate_username(username: str) -> None:
    """Raise ValidationError unless Django accepts the characters of a new user name."""
    User.username_validator(username)


class ManagedAgent(Serializer[Any]):
    id = UUIDField(read_only=True, help_text="The platform's own id.")
    customer_id = owner()
    name = CharField(max_length=MAX_NAME)
    username = CharField(
        max_length=150,
        validators=[validate_username],
        help_text="For logging in. A customer's own credential adds the customer's ending if it is missing.",
    )
    password = CharField(
        write_only=True,
        required=False,
        trim_whitespace=False,
        max_length=MAX_PASSWORD,
        help_text="Without it, the present one is kept; a new agent then gets an invitation to set one.",
    )
    role = ChoiceField(AgentRole.values, default=AgentRole.AGENT.value)
    is_active = BooleanField(default=True, help_text="`false`: the agent cannot log in.")
    may_use_admin = BooleanField(default=False, help_text="Only for admins and platform staff.")
    queue_ids = ListField(
        child=UUIDField(), default=list, max_length=MAX_QUEUES, help_text="The queues that the agent serves."
    )
    granted_resources = ListField(
        child=CharField(),
        default=list,
        validators=[validate_resources],
        help_text="Resources of the customer that the agent receives besides its own, such as `message`.",
    )
    limited_to = field(
        {
            "type": "object",
            "properties": {
                "queues": {"type": "array", "items": {"type": "string", "format": "uuid"}},
                "teams": {"type": "array", "items": {"type": "string"}},
            },
            "additionalProperties": False,
        },
        "The `queues` (ids) and `teams` of a manager: it sees nothing else of the customer. Empty for all.",
        default=dict,
        validators=[validate_limits],
    )
    teams = ListField(
        child=CharField(max_length=MAX_TEAM_CHARACTERS),
        default=list,
        max_length=MAX_TEAMS,
        validators=[validate_teams],
        help_text="Names such as `Support` or `Night shift`, by which agents are found. Case does not matter.",
    )
    sign_in = ChoiceField(
        ["password", "invited", "none"],
        read_only=True,
        help_text="Whether the agent can sign in: it has a password; it has none yet, and an open invitation; neither.",
    )
    status = ChoiceField(AgentStatus.values, read_only=True)
    created_at = DateTimeField(read_only=True)


class Agents(Resource):
    """Agents, with their users."""

    name = "agents"
    model = Agent
    serializer = ManagedAgent
    filters = {
        "customer_id": "customer_id",
        "name": "name",
        "username": "user__username",
        "role": "role",
        "is_active": "is_active",
        "queue_id": "queues",
    }

    def rows(self, controller: Controller) -> QuerySet[Any]:
        # As in the admin: superusers are managed by superusers, the platform's agents by the platform.
        agents = (
            super()
            .rows(controller)
            .select_related("customer", "user", "invitation")
            .exclude(user__is_superuser=True)
        )
        return agents if controller.is_platform else agents.exclude(role=AgentRole.STAFF)

    def shown(self, row: Agent) -> dict[str, Any]:
        return {
            "id": str(row.pk),
            "customer_id": str(row.customer_id),
            "name": row.name,
            "username": row.user.get_username(),
            "role": row.role,
            "is_active": row.is_active,
            "may_use_admin": row.user.is_staff,
            "queue_ids": sorted(str(queue.pk) for queue in row.queues.all()),
            "granted_resources": row.granted_resources,
            "teams": row.teams,
            "limited_to": row.limited_to,
            "sign_in": _sign_in(row),
            "status": row.status,
            "created_at": format_timestamp(row.created_at),
        }

    @sensitive_variables()
    def shown_once(self, row: Agent, secret: str, origin: str) -> dict[str, Any]:
        return {"invitation_link": invitation_link(secret, origin)}

    @sensitive_variables()
    def store(
        self, controller: Controller, row: Agent, values: dict[str, Any], *, is_new: bool
    ) -> str | None:
        _require_unnarrowed(controller)
        if is_new:
            row.customer, row.user = controller.customer(values), User()
        values.pop("customer_id", None)
        role = values.get("role", row.role)
        if problem := limit_problem(role, values.get("limited_to", row.limited_to)):
            raise Refused(FieldProblem("limited_to", problem))
        _check_role(controller, row, role, values)
        queues = self._queues(row, values.pop("queue_ids", None))
        login_changed = self._set_login(controller, row, values, role, is_new=is_new)
        differs = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in differs.items():
            setattr(row, name, value)
        if login_changed:
            # Its signals end the tokens of the agent if the password is new.
            row.user.save()
            row.user_id = row.user.pk
        if is_new:
            row.save(force_insert=True)
        elif differs:
            row.save(update_fields=list(differs))
        if queues is not None and (queues or not is_new):
            row.queues.set(queues)
        return invite(row, timezone.now()) if is_new and not row.user.has_usable_password() else None

    def find_to_change(self, controller: Controller, pk: str) -> Agent:
        """Return an agent that the controller may change, delete and invite.

        Raises:
            NotPermitted: It may change no agents.
            Refused: It may not change agents of this role.
            Missing: There is no such agent for this controller.
        """
        _require_unnarrowed(controller)
        row: Agent = self.find(controller, pk)
        _check_role(controller, row, row.role, {})
        return row

    def _queues(self, row: Agent, ids: list[Any] | None) -> list[Queue] | None:
        if not ids:
            return None if ids is None else []
        found = list(Queue.objects.filter(customer_id=row.customer_id, pk__in=ids))
        if unknown := set(ids) - {queue.pk for queue in found}:
            names = ", ".join(sorted(map(str, unknown))[:5])
            raise Refused(FieldProblem("queue_ids", f"there is no such queue of the customer: {names}"))
        return found

    @sensitive_variables("values", "password")
    def _set_login(
        self, controller: Controller, row: Agent, values: dict[str, Any], role: str, *, is_new: bool
    ) -> bool:
        """Set user name, password and use of the admin; return whether one has changed."""
        user, problems = row.user, []
        before = (user.get_username(), user.is_staff)
        username = values.pop("username", user.get_username())
        try:
            user.username = login_name(user, row.customer, username, is_platform=controller.is_platform)
        except ValidationError as error:
            problems.append(FieldProblem("username", " ".join(error.messages)))
        user.is_staff = values.pop("may_use_admin", user.is_staff)
        if user.is_staff and (problem := admin_use_problem(role)):
            problems.append(FieldProblem("may_use_admin", problem))
        password = values.pop("password", None)
        is_new_password = password is not None and (is_new or not user.check_password(password))
        if is_new_password:
            try:
                validate_password(password, user)
            except ValidationError as error:
                problems.append(FieldProblem("password", " ".join(error.messages)))
            else:
                user.set_password(password)
        elif is_new:
            user.set_unusable_password()
        if problems:
            raise Refused(*problems)
        return is_new or is_new_password or before != (user.username, user.is_staff)

    def delete(self, controller: Controller, pk: str) -> None:
        row = self.find_to_change(controller, pk)
        if str(row.pk) == controller.agent_id:
            raise Refused(FieldProblem("id", "you cannot delete your own agent: use another credential"))
        super().delete(controller, pk)


def _sign_in(row: Agent) -> str:
    if row.user.has_usable_password():
        return "password"
    invitation = getattr(row, "invitation", None)
    return "invited" if invitation is not None and invitation.is_open(timezone.now()) else "none"


def _require_unnarrowed(controller: Controller) -> None:
    if controller.is_narrowed:
        raise NotPermitted(
            "A credential that is limited to topics, by a filter, by masked numbers or to publishing cannot change "
            "agents, who receive what it does not: use one without these limits"
        )


def _check_role(controller: Controller, row: Agent, role: str, values: dict[str, Any]) -> None:
    if role == AgentRole.STAFF and not controller.is_platform:
        raise Refused(FieldProblem("role", "only the platform has staff: choose agent, manager or admin"))
    if not controller.may_publish and {role, row.role} & set(CONTROLLING_ROLES):
        raise Refused(FieldProblem("role", "admins may publish, and this key may not: use one that may"))
    is_own = not row._state.adding and str(row.pk) == controller.agent_id
    if is_own and (role != row.role or not values.get("is_active", True)):
        raise Refused(FieldProblem("id", "you cannot switch off your own agent or change its role"))
