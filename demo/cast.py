"""The password of all people of the demo, and the address of its operator."""

PASSWORD = "samen-sterk-boekhouden"  # the same for all people of the demo, and shown on /demo
OPERATOR_EMAIL = "dirk@operator.example"
