"""Which person is this, and for which office?"""

from accounts.models.invitation import Invitation
from accounts.models.last_admin import LastAdmin, changing_people
from accounts.models.membership import Membership, Role
from accounts.models.office import Office
from accounts.models.office_event import OfficeEvent, OfficeEventKind
from accounts.models.user import LANGUAGES, User, second_factors

__all__ = [
    "LANGUAGES",
    "Invitation",
    "LastAdmin",
    "Membership",
    "Office",
    "OfficeEvent",
    "OfficeEventKind",
    "Role",
    "User",
    "changing_people",
    "second_factors",
]
