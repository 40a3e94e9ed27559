"""What the log says, in the reader's language; what it has no words for stands as it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask_babel import gettext as _

from app.accounts.audit import AuditEntry

_ACTIONS: Mapping[str, Callable[[], str]] = {
    "backup.made": lambda: _("A backup was made"),
    "backup.restored": lambda: _("A backup was restored"),
    "brand.created": lambda: _("The brand was made"),
    "brand.changed": lambda: _("The brand was changed"),
    "campaign.created": lambda: _("A campaign was written"),
    "campaign.edited": lambda: _("A campaign was changed"),
    "campaign.deleted": lambda: _("A draft of a campaign was deleted"),
    "campaign.tested": lambda: _("A campaign was tried on a card"),
    "campaign.scheduled": lambda: _("A campaign was scheduled"),
    "campaign.unscheduled": lambda: _("A campaign is a draft again"),
    "campaign.begun": lambda: _("A campaign was sent"),
    "campaign.paused": lambda: _("A campaign was paused"),
    "campaign.resumed": lambda: _("A campaign was resumed"),
    "campaign.stopped": lambda: _("A campaign was stopped by its first guests"),
    "campaign.released": lambda: _("A campaign goes to everybody"),
    "campaign.cancelled": lambda: _("A campaign was cancelled"),
    "card.issued": lambda: _("A card was issued"),
    "card.corrected": lambda: _("A balance was corrected"),
    "card.reissued": lambda: _("A card was issued anew"),
    "card.blocked": lambda: _("A card was blocked"),
    "card.unblocked": lambda: _("A card works again"),
    "certificate.stored": lambda: _("A certificate was taken"),
    "certificate.taken_back": lambda: _("The former certificate is used again"),
    "google.stored": lambda: _("A key for Google Wallet was taken"),
    "google.forgotten": lambda: _("No more cards are made in Google Wallet"),
    "design.drafted": lambda: _("A card design was begun"),
    "design.draft_discarded": lambda: _("A card design was put aside"),
    "design.draft_reopened": lambda: _("A card design was taken up again"),
    "design.published": lambda: _("A card design was published"),
    "design.test_card": lambda: _("A test card was made"),
    "design.moved": lambda: _("Cards got another design"),
    "invitation.made": lambda: _("Somebody was invited"),
    "invitation.used": lambda: _("An invitation was used"),
    "invitation.withdrawn": lambda: _("An invitation was withdrawn"),
    "key.created": lambda: _("A till got a key"),
    "key.restored": lambda: _("A till’s key works again"),
    "key.revoked": lambda: _("A till’s key was ended"),
    "key.rotated": lambda: _("A till’s key was replaced"),
    "link.created": lambda: _("A link for guests was made"),
    "link.restored": lambda: _("A link for guests works again"),
    "link.retired": lambda: _("A link for guests was retired"),
    "marketing_limits.changed": lambda: _("How often guests are spoken to was changed"),
    "member.exported": lambda: _("A guest’s data were handed out"),
    "member.merged": lambda: _("Two cards of a guest became one"),
    "member.removed": lambda: _("A guest was forgotten"),
    "number.proved": lambda: _("A guest proved a phone number"),
    "offer.created": lambda: _("An offer was made"),
    "offer.changed": lambda: _("An offer was changed"),
    "offer.granted": lambda: _("Guests got an offer"),
    "offer.ended": lambda: _("An offer was ended"),
    "placement.created": lambda: _("A place for a code was added"),
    "programme.created": lambda: _("A programme was made"),
    "programme.changed": lambda: _("A programme was changed"),
    "rollout.started": lambda: _("A design began to go out to cards"),
    "rollout.continued": lambda: _("A design went out to more cards"),
    "rollout.stopped": lambda: _("A design’s way out was stopped"),
    "rollout.taken_back": lambda: _("A design was taken back"),
    "staff.created": lambda: _("A staff member was added"),
    "staff.moved": lambda: _("A staff member works elsewhere"),
    "staff.left": lambda: _("A staff member left"),
    "staff.came_back": lambda: _("A staff member came back"),
    "staff.planned": lambda: _("A staff member’s plan was set"),
    "user.created": lambda: _("An account was made"),
    "user.renamed": lambda: _("A name was changed"),
    "user.operator_set": lambda: _("Who runs the installation was changed"),
    "user.password_set": lambda: _("A password was changed"),
    "user.role_given": lambda: _("A role was given"),
    "user.role_taken": lambda: _("A role was taken away"),
    "user.signed_in": lambda: _("Signed in"),
    "user.signed_out": lambda: _("Signed out"),
    "venue.created": lambda: _("A venue was added"),
    "venue.changed": lambda: _("A venue was changed"),
    "venue.closed": lambda: _("A venue was closed"),
    "venue.reopened": lambda: _("A venue was opened again"),
}


_KINDS: Mapping[str, Callable[[str], str]] = {
    "design": lambda which: _("design %(which)s", which=which),
    "draft": lambda which: _("draft %(which)s", which=which),
    "invitation": lambda which: _("invitation %(which)s", which=which),
    "key": lambda which: _("key %(which)s", which=which),
    "link": lambda which: _("link %(which)s", which=which),
    "member": lambda which: _("guest %(which)s", which=which),
    "pass": lambda which: _("card %(which)s", which=which),
    "placement": lambda which: _("place %(which)s", which=which),
    "programme": lambda which: _("programme %(which)s", which=which),
    "rollout": lambda which: _("roll-out %(which)s", which=which),
    "staff member": lambda which: _("staff member %(which)s", which=which),
    "user": lambda which: _("user %(which)s", which=which),
    "venue": lambda which: _("venue %(which)s", which=which),
}


def action_words(entry: AuditEntry) -> str:
    """What happened."""
    told = _ACTIONS.get(entry.action)
    return told() if told else entry.action


def actor_words(actor: str, names: Mapping[str, str]) -> str:
    """Who did it: a name, or which way they came by."""
    kind, _colon, who = actor.partition(":")
    if actor in names:
        return names[actor]
    words: dict[str, str] = {
        "cli": _("command line (%(who)s)", who=who),
        "key": _("till (key %(who)s)", who=who),
        "guest": _("a guest"),
        "canary": _("by itself"),
        "schedule": _("by itself"),
        "worker": _("by itself"),
        "service": _("by itself"),
    }
    return words.get(kind, actor)


def subject_words(entry: AuditEntry, names: Mapping[str, str]) -> str:
    """What or whom it was about: a name, or a kind of thing and what tells it from others."""
    if entry.subject == "limits":
        return str(_("limits"))
    named = names.get(entry.subject.replace("user ", "user:"))
    if named is not None:
        return named
    kind, _space, which = entry.subject.rpartition(" ")
    told = _KINDS.get(kind)
    return told(which) if told else entry.subject
