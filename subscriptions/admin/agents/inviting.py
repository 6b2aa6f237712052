"""The invitations of agents in the admin: shown once, renewed and revoked."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.formats import localize
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_variables

from events.admin.scope import pill
from events.quantities import moment_text
from subscriptions.accounts.invitations import invitation_link, invite, revoke_invitation
from subscriptions.accounts.link_origin import link_origin
from subscriptions.admin.confirmation import MAX_ROWS, ConfirmingAdmin
from subscriptions.models import Agent


class ShownInvitation(NamedTuple):
    """An agent and the link of its new invitation."""

    agent: Agent
    link: str


class InvitingAdmin(ConfirmingAdmin):
    """Pages of agents, who are invited to set their passwords."""

    @admin.action(description=gettext_lazy("New invitation link"), permissions=["change"])
    def invite(self, request: HttpRequest, rows: QuerySet[Agent]) -> HttpResponse | None:
        """Make new invitations of these agents, and show their links."""
        chosen = self.changeable(request, rows[: MAX_ROWS + 1])
        if not chosen or len(chosen) > MAX_ROWS:
            text = gettext("Select agents that you may change, at most %(most)d. Nothing was changed.")
            self.message_user(request, text % {"most": MAX_ROWS}, messages.ERROR)
            return None
        return self.show_new_invitations(request, chosen)

    @admin.action(description=gettext_lazy("Revoke invitation"), permissions=["change"])
    def revoke_invitations(self, request: HttpRequest, rows: QuerySet[Agent]) -> None:
        """Revoke the open invitations of these agents."""
        revoked = [agent for agent in self.changeable(request, rows) if revoke_invitation(agent)]
        for agent in revoked:
            self.log_change(request, agent, "Invitation revoked.")
        text = ngettext("Revoked: {count} invitation.", "Revoked: {count} invitations.", len(revoked))
        self.message_user(request, text.format(count=localize(len(revoked))), messages.SUCCESS)

    @sensitive_variables()
    def show_new_invitations(
        self, request: HttpRequest, agents: list[Agent], *, is_new: bool = False
    ) -> TemplateResponse:
        """Invite the agents, and show the links in the response itself.

        A redirect would store them in the session. `is_new` agents have a record already.
        """
        now, shown = timezone.now(), []
        for agent in agents:
            link = invitation_link(invite(agent, now), link_origin(request))
            shown.append(ShownInvitation(agent, link))
            if not is_new:
                self.log_change(request, agent, "Invited to set a password.")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": ngettext("New invitation", "New invitations", len(shown)),
            "invitations": shown,
            "media": self.media,
        }
        response = TemplateResponse(request, "admin/subscriptions/agent/invitations.html", context)
        add_never_cache_headers(response)
        return response

    @admin.display(description=gettext_lazy("sign-in"))
    def sign_in(self, agent: Any) -> SafeString:
        """Return whether the agent has a password, and whether there is an open invitation."""
        invitation = getattr(agent, "invitation", None)
        if invitation is not None and invitation.is_open(timezone.now()):
            until = moment_text(invitation.expires_at)
            return pill(gettext("invited until {moment}").format(moment=until), "warn")
        if not agent.user.has_usable_password():
            return pill(gettext("no password"), "bad")
        return pill(gettext("password set"), "good")
