"""The mails about a company that changes its office: to whom, and in which words."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from clients.events import ClientEvent, ClientEventKind
from notifications.emails import Words, post
from notifications.models import CompanyMail


def receivers(event: ClientEvent) -> list[User]:
    """The Admins of the office but for who did it; a transfer has no switch."""
    admins = event.office.memberships.admins().exclude(user=event.by)
    return list(User.objects.filter(pk__in=admins.values("user")).order_by("pk"))


def words_of(event: ClientEvent) -> Words:
    moment = event.moment
    told = {
        "company": event.client_name,
        "office": event.office.name,
        "other": event.details["other"],
        "person": event.by_name,
        "moment": moment and date_format(timezone.localtime(moment), "DATETIME_FORMAT"),
    }
    texts = _texts_of_the_giver() if event.details["leaving"] else _texts_of_the_receiver()
    subject, sentence = (text % told for text in texts[event.kind])
    slug = event.office.slug
    if event.kind == ClientEventKind.TRANSFER_ASKED and not event.details["leaving"]:
        path = reverse("clients:answer", args=[slug, event.details["transfer"]])
        return Words(subject, sentence, _("Answer"), path)
    return Words(subject, sentence, _("Companies"), reverse("clients:companies", args=[slug]))


def _texts_of_the_giver() -> dict[str, tuple[str, str]]:
    return {
        ClientEventKind.TRANSFER_ASKED: (
            _("%(other)s is asked to take %(company)s over"),
            _(
                "%(person)s asked %(other)s to take %(company)s over from %(office)s. Nothing "
                "changes before they agree."
            ),
        ),
        ClientEventKind.TRANSFER_AGREED: (
            _("%(company)s goes to %(other)s"),
            _(
                "%(other)s agreed to take %(company)s over. From %(moment)s on %(office)s and its "
                "software see nothing of this company, old documents included."
            ),
        ),
        ClientEventKind.TRANSFER_DECLINED: (
            _("%(company)s stays with %(office)s"),
            _("%(other)s declined to take %(company)s over from %(office)s."),
        ),
        ClientEventKind.TRANSFER_WITHDRAWN: (
            _("%(company)s stays with %(office)s"),
            _("%(person)s withdrew the transfer of %(company)s to %(other)s."),
        ),
    }


def _texts_of_the_receiver() -> dict[str, tuple[str, str]]:
    return {
        ClientEventKind.TRANSFER_ASKED: (
            _("%(other)s asks you to take %(company)s over"),
            _(
                "%(person)s of %(other)s asks %(office)s to take %(company)s over, with its "
                "documents. Nothing changes before an Admin agrees."
            ),
        ),
        ClientEventKind.TRANSFER_AGREED: (
            _("%(company)s comes to %(office)s"),
            _(
                "%(person)s agreed to take %(company)s over from %(other)s. From %(moment)s on it "
                "belongs to %(office)s, with its documents and bank accounts."
            ),
        ),
        ClientEventKind.TRANSFER_DECLINED: (
            _("%(company)s stays with %(other)s"),
            _("%(person)s declined to take %(company)s over from %(other)s."),
        ),
        ClientEventKind.TRANSFER_WITHDRAWN: (
            _("%(company)s stays with %(other)s"),
            _("%(other)s withdrew the transfer of %(company)s to %(office)s."),
        ),
    }


def send(mail: CompanyMail) -> bool:
    """Send a mail about a company, which has no switch; tell whether the mail server took it."""
    return post(mail, words_of, can_be_switched_off=False)
