# The daily commands. Each starts the servers that it needs; none needs a running demo.
# Further arguments: make test ARGS="-n 0 tests/consents". CONTRIBUTING.md says what each does.

ARGS ?=
WORDS = test test-fast test-next coverage assurance bench lint fix types migrate messages pins

.PHONY: run $(WORDS)

run:
	python3 portal.py demo $(ARGS)

$(WORDS):
	python3 portal.py $@ $(ARGS)
