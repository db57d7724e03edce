"""The tables of the operators: four-eyes approvals, logins, the support access log."""

from backoffice.models.claims import AccountClaim, CompanyClaim
from backoffice.models.four_eyes import ApprovalKind, FourEyesApproval, NeedsSecondOperator
from backoffice.models.operators import AdminHistory, Operator, OperatorIdentity, OperatorLogin
from backoffice.models.support_access import AccessedRecord, SupportAccess
from backoffice.models.terms_proposal import TermsProposal

__all__ = [
    "AccessedRecord",
    "AccountClaim",
    "AdminHistory",
    "ApprovalKind",
    "CompanyClaim",
    "FourEyesApproval",
    "NeedsSecondOperator",
    "Operator",
    "OperatorIdentity",
    "OperatorLogin",
    "SupportAccess",
    "TermsProposal",
]
