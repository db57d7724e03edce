"""`demo`: the portal with demo data, a worker, and the demo accounting software.

`migrate` writes and applies migrations on the same database.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools.console import CannotContinueError, say
from devtools.files import hold_lock, is_locked, write_private
from devtools.passwords import remembered_passwords
from devtools.paths import BIN, VAR
from devtools.ports import refuse_taken_port
from devtools.processes import ChildProcesses, granian, manage
from devtools.servers import DEMO, Environment, start_servers, without_owner

# The settings read it: `.venv/bin/python manage.py …` works beside a running demo.
ENVIRONMENT_FILE = VAR / "env"
PEOPLE_FILE = VAR / "demo.json"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--software-port", type=int, default=8001)
    parser.add_argument("--size", choices=["small", "large"], default="small")


def refuse_wrong_options(options: argparse.Namespace) -> None:
    if options.port == options.software_port:
        raise CannotContinueError("--port and --software-port must differ.")
    for port in (options.port, options.software_port):
        refuse_taken_port(port)


def run_demo(options: argparse.Namespace, children: ChildProcesses) -> int:
    """Start everything, print the addresses, and stay until somebody stops it."""
    with hold_lock("demo"):
        environment = _environment(options.port, options.software_port)
        start_servers(environment, children, remembered_passwords(), DEMO)
        with _written(environment):
            _start_portal(options, environment, children)
            _print_addresses(environment)
            children.watch()
    return 0


def run_migrate(arguments: list[str], children: ChildProcesses) -> int:
    """Write the migrations that changed models need; apply all to the demo's database."""
    if is_locked("demo"):
        # The settings find the servers of the running demo in var/env.
        return _migrate(arguments, dict(os.environ))
    with hold_lock("demo"):
        environment = _environment()
        start_servers(environment, children, remembered_passwords(), DEMO)
        return _migrate(arguments, environment)


def _migrate(arguments: list[str], environment: Environment) -> int:
    manage("Writing migrations", ["makemigrations", *arguments], environment)
    manage("Updating the database", ["migrate"], environment)
    return 0


def _environment(port: int = 8000, software_port: int = 8001) -> Environment:
    return dict(
        os.environ,
        PORTAL_SECRET_KEY=remembered_passwords().key,
        PORTAL_URL=f"http://localhost:{port}",
        PORTAL_DEMO_SOFTWARE_URL=f"http://localhost:{software_port}",
        PORTAL_DEMO="1",
        PORTAL_WAITS_AT_ONCE="104",
        PORTAL_STORAGE=str(VAR / "documents"),
        PORTAL_MAIL_DIR=str(VAR / "mail"),
    )


def _start_portal(
    options: argparse.Namespace, environment: Environment, children: ChildProcesses
) -> None:
    software = children.start(
        "software",
        granian("demo.software.app:application", options.software_port, workers=1, threads=8),
        environment,
    )
    manage("Updating the database", ["migrate", "-v0"], environment)
    environment = without_owner(environment)
    # The web processes read their code while the demo data is made.
    web = children.start(
        "web",
        granian("codabox_portal.wsgi:application", options.port, workers=2, threads=136),
        environment,
    )
    seed = ["seed_demo", "--size", options.size, "--json", str(PEOPLE_FILE)]
    manage("Demo data", seed, environment)
    worker = [str(BIN / "celery"), "-A", "codabox_portal", "worker", "--beat"]
    worker += ["-s", str(VAR / "celerybeat-schedule"), "--pool", "threads", "--concurrency", "4"]
    children.start("worker", worker, environment)
    children.wait_for_answer(web, f"http://127.0.0.1:{options.port}/accounts/login/")
    children.wait_for_answer(software, f"http://127.0.0.1:{options.software_port}/")


def _print_addresses(environment: Environment) -> None:
    people = json.loads(Path(PEOPLE_FILE).read_text())["people"]
    admin = next(person for person in people if person["role"] == "admin")
    say("")
    say(f"Portal ready at {environment['PORTAL_URL']}")
    say(f"  accounting software   {environment['PORTAL_DEMO_SOFTWARE_URL']}")
    say(f"  people and mails      {environment['PORTAL_URL']}/demo")
    say(f"  log in as             {admin['email']}  {admin['password']}")
    say("Stop with Ctrl-C.")


@contextmanager
def _written(environment: Environment) -> Iterator[None]:
    """Write the environment to var/env while the demo runs."""
    names = sorted(name for name in environment if name.startswith("PORTAL_"))
    names += ["DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"]
    lines = [f"{name}={environment[name]}" for name in names]
    write_private(ENVIRONMENT_FILE, "\n".join(lines) + "\n")
    try:
        yield
    finally:
        ENVIRONMENT_FILE.unlink()
