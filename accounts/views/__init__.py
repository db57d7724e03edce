"""The screens about people: of an office, of an invitation, of a person herself."""
