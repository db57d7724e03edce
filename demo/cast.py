"""What everybody in the demo shares."""

PASSWORD = "samen-sterk-boekhouden"  # the same for all people of the demo, and shown on /demo
OPERATOR_EMAIL = "dirk@operator.example"
