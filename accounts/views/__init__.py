"""The screens about people: of an office, of an invitation, of one's own account."""
