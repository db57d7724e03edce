"""Every URL × every character: a page that is not listed here fails the test."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import Invitation, Membership, Role, User
from accounts.models.invitation import VALID_FOR, digest_of, token_of
from clients.models import Account, Transfer
from consents.actors import Actor
from core.document_kinds import PDF
from core.row_security import every_office
from documents.formats import Reason
from documents.models import Attachment, Document, DocumentDetails, QuarantinedFile
from documents.storage.blobs import store
from notifications.models import Delivery, WebhookEndpoint
from partners.logos import Logo
from partners.models import Application
from tests import factories
from tests.accounts.people import without_number
from tests.conftest import Cast, make_cast
from tests.factories import allow

# What each character gets by GET: anonymous, Bram (User), Anna (Admin), Chloé (other office), Dirk.
IN, OUT, LOGIN, NO, GONE = 200, 404, 302, 403, 405
EVERYBODY = (IN, IN, IN, IN, IN)
LOGGED_IN = (LOGIN, IN, IN, IN, IN)
OF_OFFICE = (LOGIN, IN, IN, OUT, OUT)
OF_ADMIN = (LOGIN, NO, IN, OUT, OUT)
OPERATORS = (LOGIN, LOGIN, LOGIN, LOGIN, IN)
READ_ONLY = (LOGIN, LOGIN, LOGIN, LOGIN, NO)
POST_ONLY = (GONE,) * 5
API = (401,) * 5
MATRIX: dict[str, tuple[int, ...]] = {
    "dashboard:help": EVERYBODY,
    "dashboard:privacy": EVERYBODY,
    "dashboard:manifest": EVERYBODY,
    "dashboard:favicon": (302,) * 5,
    "dashboard:home": (LOGIN, LOGIN, LOGIN, LOGIN, LOGIN),
    "dashboard:offices": LOGGED_IN,
    "dashboard:office": OF_OFFICE,
    "dashboard:search": OF_OFFICE,
    "consents:manage": OF_OFFICE,
    "consents:confirm": (LOGIN, NO, 303, OUT, OUT),
    "consents:ask": POST_ONLY,
    "consents:result": (LOGIN, 303, 303, OUT, OUT),
    "consents:overview": OF_ADMIN,
    "consents:export": OF_ADMIN,
    "consents:detail": OF_ADMIN,
    "consents:software": EVERYBODY,
    "consents:directory": OF_ADMIN,
    "consents:block": OF_ADMIN,
    "consents:terms": (LOGIN, NO, 303, OUT, OUT),
    # Who agreed is still there.
    "consents:reaffirm": (LOGIN, NO, 303, OUT, OUT),
    "consents:scope": OF_ADMIN,
    "consents:widen": (LOGIN, NO, 303, OUT, OUT),
    "consents:pause": (LOGIN, NO, 303, OUT, OUT),
    "consents:resume": (LOGIN, NO, 303, OUT, OUT),
    "consents:receipt": (LOGIN, NO, OUT, OUT, OUT),
    "consents:evidence": (LOGIN, NO, OUT, OUT, OUT),
    "consents:keys": EVERYBODY,
    "partners:logo": EVERYBODY,
    "consents:cancel": (LOGIN, NO, 303, OUT, OUT),
    "documents:software_use": OF_ADMIN,
    "clients:companies": OF_OFFICE,
    "clients:export": OF_OFFICE,
    "clients:record": OF_OFFICE,
    "clients:add": OF_ADMIN,
    "clients:import": OF_ADMIN,
    "clients:archive_list": OF_ADMIN,
    "clients:edit": OF_ADMIN,
    "clients:accounts": OF_ADMIN,
    "clients:remove_account": POST_ONLY,
    "clients:archive": OF_ADMIN,
    # It is not archived.
    "clients:restore": (LOGIN, NO, 303, OUT, OUT),
    "clients:transfer": OF_ADMIN,
    "clients:withdraw": POST_ONLY,
    "clients:answer": OF_ADMIN,
    "documents:company": OF_OFFICE,
    "documents:access_report": OF_OFFICE,
    "documents:access_report_csv": OF_OFFICE,
    "documents:document_list": OF_OFFICE,
    "documents:document": OF_OFFICE,
    "documents:file": OF_OFFICE,
    "documents:attachment": OF_OFFICE,
    "documents:completeness": OF_OFFICE,
    "documents:completeness_csv": OF_OFFICE,
    "documents:company_completeness": OF_OFFICE,
    "documents:waiting_files": OF_OFFICE,
    "documents:file_it": POST_ONLY,
    "documents:document_access_report": OF_OFFICE,
    "documents:document_access_report_csv": OF_OFFICE,
    "accounts:language": POST_ONLY,
    "accounts:me": LOGGED_IN,
    "accounts:email": (LOGIN,) * 5,
    # The link of these tests stands for no change.
    "accounts:confirm_email": (LOGIN, 410, 410, 410, 410),
    "accounts:organization": OF_ADMIN,
    "backoffice:support_access": OF_ADMIN,
    # The token of these tests invites nobody to be an operator.
    "backoffice:operator_invitation": (410,) * 5,
    # These settings name no OpenID provider: tests/backoffice/test_oidc.py has one.
    "backoffice:oidc_start": (OUT,) * 5,
    "backoffice:oidc_finish": (OUT,) * 5,
    "accounts:invitation": (303, NO, NO, IN, NO),
    "accounts:users": OF_ADMIN,
    "accounts:invite": OF_ADMIN,
    "accounts:role": OF_ADMIN,
    "accounts:remove": OF_ADMIN,
    "accounts:resend": POST_ONLY,
    "accounts:revoke": POST_ONLY,
    "accounts:leave": OF_OFFICE,
    # These begin with a young proof of identity, or belong into the middle of a login.
    **dict.fromkeys(
        [
            "account_change_password",
            "mfa_activate_totp",
            "mfa_deactivate_totp",
            "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
            "mfa_add_webauthn",
            "mfa_remove_webauthn",
            "mfa_list_webauthn",
            "mfa_login_webauthn",
            "mfa_authenticate",
            "mfa_trust",
            "mfa_reauthenticate_webauthn",
        ],
        (LOGIN,) * 5,
    ),
    # Only Dirk has a second factor here.
    "mfa_reauthenticate": (LOGIN, LOGIN, LOGIN, LOGIN, IN),
    "mfa_index": LOGGED_IN,
    "end_session": POST_ONLY,
    "account_login": (IN, LOGIN, LOGIN, LOGIN, LOGIN),
    "account_logout": (LOGIN, IN, IN, IN, IN),
    "account_inactive": EVERYBODY,
    "account_reauthenticate": LOGGED_IN,
    "account_reset_password": EVERYBODY,
    "account_reset_password_done": EVERYBODY,
    "account_reset_password_from_key": EVERYBODY,
    "account_reset_password_from_key_done": EVERYBODY,
    "partner_api:developers": EVERYBODY,
    "partner_api:reference": EVERYBODY,
    "partner_api:guide": EVERYBODY,
    "partner_api:openapi": EVERYBODY,
    "partner_api:postman": EVERYBODY,
    "partner_api:root": EVERYBODY,
    "partner_api:token": POST_ONLY,
    "partner_api:revoke": POST_ONLY,
    "partner_api:consents": API,
    "partner_api:consent": API,
    "partner_api:document_searches": API,
    "partner_api:document": API,
    "partner_api:attachments": API,
    "partner_api:document_file": API,
    "partner_api:attachment": API,
    "partner_api:clients": API,
    "partner_api:acknowledgements": API,
    "partner_api:document_downloads": API,
    "partner_api:document_changes": API,
    "live": EVERYBODY,
    # To Prometheus, from loopback here; tests/monitoring/test_metrics.py has the strangers.
    "metrics": EVERYBODY,
    "ready": EVERYBODY,
    "partner_api:events": API,
    "partner_api:webhooks": EVERYBODY,
    "partner_api:webhook_keys": EVERYBODY,
    "partner_api:webhooks_at_the_root": EVERYBODY,
    "partner_api:webhook_keys_at_the_root": EVERYBODY,
    "partner_api:webhook_endpoint": API,
    "partner_api:webhook_endpoint_test": API,
    "partner_api:deliveries": API,
    "partner_api:sandbox_offices": API,
    "partner_api:sandbox_documents": API,
    "partner_api:sandbox_decisions": API,
    "partner_api:redelivery": API,
    "partner_api:nothing": (OUT,) * 5,
    "admin:index": OPERATORS,
    "admin:search": OPERATORS,
    "admin:login": (LOGIN, OUT, OUT, OUT, LOGIN),
    "admin:logout": (LOGIN, LOGIN, LOGIN, LOGIN, GONE),
    "admin:password_change": (LOGIN,) * 5,
    "admin:password_change_done": OPERATORS,
    "admin:autocomplete": OPERATORS,
    "admin:jsi18n": OPERATORS,
    "admin:app_list": OPERATORS,
    "admin:catch_all": (LOGIN, LOGIN, LOGIN, LOGIN, OUT),
}
for _model in (
    "accounts_office",
    "partners_partner",
    "partners_application",
    "consents_consent",
    "consents_terms",
    "notifications_webhookendpoint",
    "notifications_delivery",
    "documents_quarantinedfile",
    "backoffice_accountclaim",
    "backoffice_companyclaim",
    "backoffice_operator",
):
    MATRIX |= {
        f"admin:{_model}_changelist": OPERATORS,
        f"admin:{_model}_csv": OPERATORS,
        f"admin:{_model}_add": READ_ONLY,
        f"admin:{_model}_history": OPERATORS,
        f"admin:{_model}_delete": READ_ONLY,
        f"admin:{_model}_change": OPERATORS,
        f"admin:{_model}_redirect": (LOGIN,) * 5,
    }
# Partners are taken in and changed here, by operators.
MATRIX["admin:partners_partner_add"] = OPERATORS
MATRIX["admin:consents_terms_add"] = OPERATORS
MATRIX["admin:terms_publication"] = OPERATORS
MATRIX["admin:consent_end"] = OPERATORS
MATRIX["admin:office_state"] = OPERATORS
MATRIX["admin:upload"] = OPERATORS
MATRIX["admin:warnings"] = OPERATORS
MATRIX["admin:documents_quarantinedfile_first_lines"] = OPERATORS
MATRIX["admin:account_claim_settle"] = OPERATORS
MATRIX["admin:company_claim_settle"] = OPERATORS
MATRIX["admin:accounts_office_add"] = OPERATORS
MATRIX["admin:mfa_reset"] = OPERATORS
MATRIX["admin:office_close"] = OPERATORS
MATRIX["admin:office_number"] = OPERATORS
MATRIX["admin:partner_secret"] = OPERATORS
MATRIX["admin:partner_webhook_secret"] = OPERATORS
MATRIX["admin:partner_state"] = OPERATORS
MATRIX["admin:partner_retire"] = OPERATORS
MATRIX["admin:partner_monitor"] = OPERATORS
MATRIX["admin:partner_guide"] = OPERATORS
MATRIX["admin:partner_preview"] = OPERATORS
MATRIX["admin:partner_check"] = OPERATORS
MATRIX |= {
    f"admin:operator_{page}": OPERATORS
    for page in ("invite", "role", "factor", "end", "sessions", "events", "events_csv")
}


def urls(resolver: Any = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Every pattern of the URL table with its name."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else space
            yield from urls(entry, path, inner)
        elif isinstance(entry, URLPattern):
            yield _name(entry, path, space), path


def _name(entry: URLPattern, path: str, space: str) -> str:
    if entry.name:
        return f"{space}{entry.name}"
    if path.endswith("<path:object_id>/"):
        return f"{space}{path.split('/')[-4]}_{path.split('/')[-3]}_redirect"
    return f"{space}catch_all"


def _credentials(cast: Cast) -> int:
    mine = Application.objects.filter(partner=cast.ledgerly)
    if not mine.exists():
        factories.make_application(cast.ledgerly)
    return int(mine.get().pk)


def _told(cast: Cast) -> tuple[int, int]:
    """An endpoint of Ledgerly and something that was sent there."""
    url = "https://software.example/hook"
    endpoint, _made = WebhookEndpoint.objects.get_or_create(partner=cast.ledgerly, url=url)
    event = cast.consent.events.earliest("pk")
    return endpoint.pk, Delivery.objects.get_or_create(endpoint=endpoint, event=event)[0].pk


def _refused() -> int:
    """A file in the quarantine."""
    fields = {"name": "refused.cod", "size": 7, "reason": Reason.UNKNOWN_FORMAT.value}
    return int(QuarantinedFile.objects.get_or_create(sha256="0" * 64, defaults=fields)[0].pk)


def _claim(cast: Cast) -> Account:
    """An account of a company, which Janssens both only claims."""
    known = Account.objects.filter(client__office=cast.janssens, confirmed_at=None).first()
    if known is not None:
        return known
    claimed = factories.make_client(cast.janssens, "Claimed", confirmed_at=None)
    return Account.objects.create(client=claimed, iban=f"BE{factories.unique():014d}")


def _logo(cast: Cast) -> str:
    png = b"the logo of Ledgerly"
    made, _new = Logo.objects.get_or_create(sha256=hashlib.sha256(png).hexdigest(), png=png)
    return made.sha256


def _document(cast: Cast) -> Document:
    """A paper of the bakery."""
    known = DocumentDetails.objects.filter(client=cast.bakery).select_related("document").first()
    if known is None:
        known = factories.make_filed_document(cast.bakery, contents={PDF: b"%PDF-1.4"})
    return known.document


def _attachment(cast: Cast) -> str:
    """A file inside the paper of the bakery."""
    document, sheet = _document(cast), b"hours"
    with every_office():
        fields = {"place": 0, "media_type": "text/csv", "size": len(sheet), "sha256": store(sheet)}
        return Attachment.objects.get_or_create(
            document=document, name="hours.csv", defaults=fields
        )[0].name


def _row(name: str, cast: Cast) -> int:
    """The key of a row of the model that a page of the admin is about."""
    rows: dict[str, Callable[[], int]] = {
        "partners_partner": lambda: cast.ledgerly.pk,
        "partners_application": lambda: _credentials(cast),
        "consents_consent": lambda: cast.consent.pk,
        "accounts_office": lambda: cast.janssens.pk,
        "webhookendpoint": lambda: _told(cast)[0],
        "delivery": lambda: _told(cast)[1],
        "documents_quarantinedfile": _refused,
        "backoffice_accountclaim": lambda: _claim(cast).pk,
        "backoffice_companyclaim": lambda: _claim(cast).client_id,
        "backoffice_operator": lambda: cast.dirk.pk,
    }
    model = next((model for model in rows if model in name), "")
    return int(rows[model]()) if model else factories.terms_in_force().pk


def filled(name: str, path: str, cast: Cast) -> str:
    """The path with the identifiers of Janssens in it; what it names is made where it is not."""
    if name == "account_reset_password_from_key":
        return "/accounts/password/reset/key/1-abc/"
    if name == "partner_api:guide":
        return "/developers/webhooks"
    if name == "partner_api:nothing":
        return "/codabox-connect/nowhere"
    if name == "admin:account_claim_settle":
        return f"/admin/backoffice/accountclaim/{_claim(cast).pk}/settle/"
    if name == "admin:company_claim_settle":
        return f"/admin/backoffice/companyclaim/{_claim(cast).client_id}/settle/"
    if name == "admin:partner_check":
        return "/" + path
    if name == "admin:partner_preview":
        return f"/admin/partners/partner/{cast.ledgerly.pk}/preview/nl/"
    if name.startswith("admin:partner_"):
        return f"/admin/partners/partner/{cast.ledgerly.pk}/{name[14:]}/"
    if name.startswith("admin:office_"):
        return f"/admin/accounts/office/{cast.janssens.pk}/{name[13:]}/"
    if name in ("admin:operator_invite", "admin:operator_events", "admin:operator_events_csv"):
        return "/" + path
    if name.startswith("admin:operator_"):
        return f"/admin/backoffice/operator/{cast.dirk.pk}/{name[15:]}/"
    if name == "admin:mfa_reset":
        member = cast.janssens.memberships.get(user=cast.bram).pk
        return f"/admin/accounts/office/{cast.janssens.pk}/people/{member}/factor/"
    if name == "admin:consent_end":
        return f"/admin/consents/consent/{cast.consent.pk}/end/"
    if name == "admin:documents_quarantinedfile_first_lines":
        return f"/admin/documents/quarantinedfile/{_refused()}/first-lines/"
    if name == "admin:app_list":
        return "/admin/consents/"
    if name == "admin:catch_all":
        return "/admin/nowhere/"
    if name == "admin:autocomplete":
        return "/admin/autocomplete/?app_label=consents&model_name=consent&field_name=office"
    if name == "admin:password_change_done":
        return "/admin/password_change/done/"
    if "/documents/<uuid:uuid>" in path:
        path = path.replace("<uuid:uuid>", str(_document(cast).uuid))
    if name in ("accounts:role", "accounts:remove"):
        path = path.replace("<uuid:uuid>", str(cast.janssens.memberships.get(user=cast.bram).uuid))
    if name == "clients:answer":
        path = path.replace("<uuid:uuid>", str(coming_to(cast).uuid))
    if name.startswith("clients:"):
        path = path.replace("<uuid:uuid>", str(cast.bakery.uuid))
    values: dict[str, Callable[[], object]] = {
        "<str:token>": lambda: invitation_of(cast),
        "<slug:slug>": lambda: cast.janssens.slug,
        "<uuid:uuid>": lambda: cast.consent.uuid,
        "<str:consent>": lambda: cast.consent.uuid,
        "<str:office>": lambda: cast.janssens.uuid,
        "<str:number>": lambda: cast.bakery.company_number,
        "<str:client>": lambda: cast.bakery.company_number,
        "<str:kind>": lambda: "bank-account-statements",
        "<str:document>": uuid.uuid4,
        "<slug:sha256>": lambda: _logo(cast),
        "<path:object_id>": lambda: _row(name, cast),
        "<int:pk>": lambda: 1,
        "<str:iban>": lambda: "BE68539007547034",
        "<path:media_type>": lambda: PDF,
        "<str:name>": lambda: _attachment(cast),
    }
    for what, value in values.items():
        if what in path:
            path = path.replace(what, str(value()))
    return "/" + path


def coming_to(cast: Cast) -> Transfer:
    """A company that Peeters wants to give to Janssens."""
    open_one = Transfer.objects.open().filter(to_office=cast.janssens).first()
    if open_one is not None:
        return open_one
    client = factories.make_client(cast.peeters, "Slagerij")
    return Transfer.objects.ask(client, cast.chloe, cast.janssens)


def invitation_of(cast: Cast) -> str:
    """The token of a link that invites Chloé to Janssens."""
    key = f"key of {cast.janssens.slug}"
    Invitation.objects.get_or_create(
        office=cast.janssens,
        email=cast.chloe.email,
        defaults={
            "role": Role.USER,
            "language": "en",
            "invited_by": cast.anna,
            "key_digest": digest_of(key),
            "expires_at": timezone.now() + VALID_FOR,
        },
    )
    return token_of(key)


def characters(cast: Cast) -> dict[str, User | None]:
    return {"anonymous": None, "Bram": cast.bram, "Anna": cast.anna, "Chloé": cast.chloe, "Dirk": cast.dirk}  # fmt: skip


def as_person(person: User | None) -> Browser:
    browser = Browser(raise_request_exception=False)
    if person is not None:
        browser.force_login(person)
    return browser


@dataclass
class Scene:
    """The cast, every address with its rows in it, and the sessions of who is logged in."""

    cast: Cast
    paths: dict[str, str]
    sessions: dict[str, str]

    def browsers(self) -> dict[str, Browser]:
        """A browser for each character."""
        return {who: self.browser(who) for who in characters(self.cast)}

    def browser(self, who: str) -> Browser:
        browser = Browser(raise_request_exception=False)
        if who in self.sessions:
            browser.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[who]
        return browser


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """Made once: the tests of this file look, and what they write all the same is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        cast = make_cast()
        paths = {name: filled(name, path, cast) for name, path in urls()}
        people = {who: person for who, person in characters(cast).items() if person is not None}
        name = settings.SESSION_COOKIE_NAME
        sessions = {who: as_person(one).cookies[name].value for who, one in people.items()}
        yield Scene(cast, paths, sessions)
        transaction.set_rollback(True)


@pytest.fixture
def scene(stage: Scene, django_db_blocker: Any) -> Iterator[Scene]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield deepcopy(stage)
        transaction.set_rollback(True)


@pytest.fixture
def cast(scene: Scene) -> Cast:
    return scene.cast


@pytest.mark.requirement(49)
def test_every_url_is_in_the_matrix() -> None:
    assert {name for name, _path in urls()} == set(MATRIX)


@pytest.mark.requirement(47)
@pytest.mark.parametrize("name", sorted(MATRIX))
def test_each_character_gets_what_the_matrix_says(scene: Scene, name: str) -> None:
    path = scene.paths[name]
    got = {who: browser.get(path).status_code for who, browser in scene.browsers().items()}
    assert got == dict(zip(got, MATRIX[name], strict=True)), path


@pytest.mark.requirement(47)
@pytest.mark.parametrize("outsider", ["anonymous", "Chloé", "left", "no office"])
def test_outsiders_see_no_byte_of_janssens(scene: Scene, outsider: str) -> None:
    cast = scene.cast
    allow(cast.consent, cast.anna)
    people = characters(cast)
    if outsider == "left":
        factories.change_membership(cast.anna, is_active=False)
        people["left"] = cast.anna
    people.setdefault("no office", factories.make_person("Nobody"))
    browser = as_person(people[outsider])
    # Who holds the link of an invitation was invited, and reads by whom.
    holders = {"accounts:invitation"}
    # The public directory names every software, but no office.
    public = {"consents:software": cast.ledgerly.name}
    # The list of all calls is for everybody; its examples use the same host.
    public |= dict.fromkeys(["partner_api:postman", "partner_api:reference"], "software.example")
    canaries = [cast.janssens.name, cast.ledgerly.name, cast.bakery.name, "software.example"]
    for name, path in scene.paths.items():
        if name in holders:
            continue
        answer: Any = browser.get(path, follow=True)
        data = b"".join(answer.streaming_content) if answer.streaming else answer.content
        page = data.decode(errors="replace")
        found = [canary for canary in canaries if canary in page]
        assert found == ([public[name]] if name in public else []), name


@pytest.mark.requirement(48)
def test_foreign_and_unknown_requests_answer_alike(cast: Cast) -> None:
    chloe = as_person(cast.chloe)
    foreign = chloe.get(f"/consent/{cast.consent.uuid}")
    other = uuid.uuid4()
    unknown = chloe.get(f"/consent/{other}")
    assert foreign.status_code == unknown.status_code == 404

    def said(answer: Any, own: uuid.UUID) -> list[str]:
        page = without_number(answer.content.decode()).replace(str(own), "ID")
        return [line for line in page.splitlines() if "csrfmiddlewaretoken" not in line]

    assert said(foreign, cast.consent.uuid) == said(unknown, other)
    assert set(foreign.headers) == set(unknown.headers)


# Beside the session: that a person was here, saw the request, or looked at an office as operator,
# and how long a process took.
TRACES = {
    "django_session",
    "accounts_membership",
    "consents_viewlog",
    "backoffice_supportaccess",
    "django_admin_log",
    "documents_documentview",
    "monitoring_timing",
}


def written() -> Counter[str]:
    """How many rows of each table this transaction wrote until now, the traces aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_xact_user_tables"
            " where relname <> all(%s)",
            [list(TRACES)],
        )
        return Counter(dict(cursor.fetchall()))


@pytest.mark.requirement(18)
@pytest.mark.parametrize("who", ["anonymous", "Bram", "Anna", "Chloé", "Dirk"])
def test_get_changes_nothing(scene: Scene, who: str) -> None:
    browser = scene.browser(who)
    # The first reader of the webhook keys has the first key made; from then on nothing changes.
    browser.get(scene.paths["partner_api:webhook_keys"])
    members = Membership.objects.order_by("pk").values_list("pk", "office", "user", "role")
    before, were = written(), list(members)
    for name, path in scene.paths.items():
        browser.get(path)
        if who == "Anna":
            browser.head(path)
        assert written() == before, name
    assert list(members) == were
    # It would have been seen.
    scene.cast.consent.withdraw(Actor.partner(scene.cast.ledgerly))
    assert written() - before == {
        "consents_consent": 1,
        "consents_consentevent": 1,
        "consents_chainhead": 2,
    }


@pytest.mark.requirement(9, 32)
def test_every_page_forbids_framing_sniffing_and_keeping(scene: Scene) -> None:
    anna = scene.browser("Anna")
    for name, path in scene.paths.items():
        headers = anna.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", name
        # These are the same for everybody and tell nothing of an office.
        same = {"partners:logo", "dashboard:favicon", "dashboard:manifest"}
        kept = name.startswith("admin:") or name in same
        assert "no-store" in headers["Cache-Control"] or kept, name
        if not name.startswith("partner_api:"):
            policy = headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["Referrer-Policy"] == "same-origin"
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


# What an attacker's page can make the browser of Anna send; the first with a form of our own.
FORGED: dict[str, dict[str, str]] = {
    "no token": {},
    "a token of nobody": {"X-CSRFToken": "x" * 64},
    "our token, from elsewhere": {"Origin": "https://evil.example"},
    "our token, from nowhere": {"Origin": "null"},
    "our token, as another site": {"Sec-Fetch-Site": "cross-site"},
    "our token, as another name of our site": {"Sec-Fetch-Site": "same-site"},
}


@pytest.mark.requirement(31)
@pytest.mark.parametrize("forgery", FORGED)
def test_a_post_that_is_not_ours_is_refused_everywhere(
    scene: Scene, forgery: str, record_property: Callable[[str, object], None]
) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies[settings.SESSION_COOKIE_NAME] = scene.sessions["Anna"]
    browser.get("/language")
    browser.get(f"/consent/{scene.cast.consent.uuid}")
    token = browser.cookies[settings.CSRF_COOKIE_NAME].value
    headers = dict(FORGED[forgery])
    if forgery.startswith("our token"):
        headers["X-CSRFToken"] = token
    before, tried = written(), 0
    for name, path in scene.paths.items():
        if name.startswith("partner_api:"):
            continue  # software has no cookies; its bearer token is asked for on every call
        answer = browser.post(path, {"choice": "deny"}, headers=headers)
        # Health pages answer before anything of a browser is read, and take no POST.
        refused = {"metrics": GONE, "live": 405, "ready": 405}.get(name, 403)
        assert answer.status_code == refused, name
        assert written() == before, name
        tried += 1
    record_property("measured", f"{forgery}: {tried} of {tried} POST are refused")
    # Nothing but what is forged was in the way.
    ours = {"X-CSRFToken": token, "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/language", {"language": "nl"}, headers=ours).status_code != 403
