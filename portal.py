#!/usr/bin/env python3
"""Bring up the portal with nothing but Python: the environment, the servers, the job.

    python3 portal.py demo [--port 8000] [--software-port 8001] [--size small|large]
    python3 portal.py test [arguments for pytest]
    python3 portal.py reset

Standard library only, and old syntax on purpose: any Python 3 can read this file, so that too old
a Python gets a sentence and not a syntax error. What it starts, it stops, by process id.
"""

from __future__ import print_function

import ast
import glob
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

FITTING = ("3.11", "3.12", "3.13")
BASE = os.path.dirname(os.path.abspath(__file__))
VAR = os.path.join(BASE, "var")
VENV = os.path.join(BASE, ".venv")
LOGS = os.path.join(VAR, "log")
PYTHON = os.path.join(VENV, "bin", "python")
UV = "uv==0.13.9"


class Failure(Exception):
    """One sentence for the person at the keyboard; the exit code is 1."""


def main(words):
    if os.name != "posix":
        raise Failure("portal.py runs on Linux and macOS; on Windows use WSL.")
    use_a_fitting_python()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    if words[:1] == ["test"]:
        return test(words[1:])
    options = parse(words)
    return demo(options) if options.word == "demo" else reset()


def parse(words):
    import argparse

    parser = argparse.ArgumentParser(prog="portal.py", description="The portal, on real parts.")
    inner = parser.add_subparsers(dest="word", metavar="demo | test | reset")
    inner.required = True
    one = inner.add_parser("demo", help="bring up the portal with data that looks real")
    one.add_argument("--port", type=port_number, default=8000, help="the portal (8000)")
    one.add_argument("--software-port", type=port_number, default=8001, help="the software (8001)")
    one.add_argument("--size", choices=("small", "large"), default="small")
    inner.add_parser("test", help="run the tests; what follows is handed to pytest")
    inner.add_parser("reset", help="forget the data of the demo")
    return parser.parse_args(words)


def port_number(text):
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(text)
    return int(text)


def interrupt(number, frame):
    raise KeyboardInterrupt


def say(text):
    print(text)
    sys.stdout.flush()


# --- The Python that runs us, the virtual environment, the pins --------------------------------


def use_a_fitting_python():
    """Return when this interpreter fits; otherwise start again with one that does."""
    if "%d.%d" % sys.version_info[:2] in FITTING:
        return
    for python in candidates():
        if fits(python):
            os.execv(python, [python, os.path.abspath(__file__)] + sys.argv[1:])
    raise Failure(
        "The portal needs Python %s or %s, and this is %d.%d. Install one (on Debian 12 and newer: "
        "apt install python3 python3-venv)."
        % ((", ".join(FITTING[:-1]), FITTING[-1]) + tuple(sys.version_info[:2]))
    )


def candidates():
    folders = os.environ.get("PATH", "").split(os.pathsep)
    folders += ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
    folders += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin")))
    for version in FITTING:
        for folder in folders:
            yield os.path.join(folder, "python" + version)


def fits(python):
    """A file with the right name can still be a wrapper that refuses, so ask it."""
    if not os.access(python, os.X_OK):
        return False
    code = "import ensurepip, sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"
    asked = subprocess.Popen([python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    answer = asked.communicate()[0].decode("ascii", "replace")
    return asked.returncode == 0 and answer in FITTING


def install(*names):
    """Put the pins of requirements/<name>.txt into .venv; costs nothing while they are there."""
    with lock("install", "Waiting for another portal.py that installs …", wait=True):
        wanted = dict((name, pins_digest(name)) for name in names)
        there = read_json(os.path.join(VENV, "portal-pins.json"))
        if os.path.exists(PYTHON) and all(there.get(name) == wanted[name] for name in names):
            return
        if not os.path.exists(PYTHON) or run([PYTHON, "-c", "import pip"], check=False):
            make_environment()
            there = {}
        say("Installing what the portal is made of …")
        install_pins([os.path.join(BASE, "requirements", name + ".txt") for name in names])
        there.update(wanted)
        write(os.path.join(VENV, "portal-pins.json"), json.dumps(there))


def pins_digest(name):
    with open(os.path.join(BASE, "requirements", name + ".txt"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def make_environment():
    if run([sys.executable, "-c", "import ensurepip, venv"], check=False):
        raise Failure("This Python has no venv module. On Debian: apt install python3-venv")
    say("Making the virtual environment .venv …")
    run([sys.executable, "-m", "venv", "--clear", VENV])


def install_pins(files):
    """uv is quick; pip itself is the way out where uv cannot reach what pip can."""
    arguments = ["install", "--quiet", "--require-hashes"]
    for path in files:
        arguments += ["-r", path]
    if not os.path.exists(os.path.join(VENV, "bin", "uv")):
        run([PYTHON, "-m", "pip", "install", "--quiet", UV], log="install", check=False)
    uv = [os.path.join(VENV, "bin", "uv"), "pip"] + arguments + ["--python", PYTHON]
    if os.path.exists(uv[0]):
        if run(uv + ["--compile-bytecode"], log="install", env=pip_in_the_words_of_uv()) == 0:
            return
        say("uv could not install the pins; pip tries …")
    run([PYTHON, "-m", "pip"] + arguments, log="install")


def pip_in_the_words_of_uv():
    """uv reads neither pip.conf nor PIP_…, so a mirror set up for pip is told to it here."""
    listed = subprocess.check_output([PYTHON, "-m", "pip", "config", "list"]).decode("utf-8")
    pip = {}
    # Sorted by how much pip listens to each: the environment beats [install] beats [global].
    for section in ("global.", "install.", ":env:."):
        for line in listed.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(section):
                pip[name[len(section) :]] = str(ast.literal_eval(value)).split()
    words = {
        "UV_DEFAULT_INDEX": pip.get("index-url"),
        "UV_INDEX": pip.get("extra-index-url"),
        "UV_INSECURE_HOST": pip.get("trusted-host"),
        "UV_HTTP_TIMEOUT": pip.get("default-timeout") or pip.get("timeout"),
        "SSL_CERT_FILE": pip.get("cert"),
        "HTTPS_PROXY": pip.get("proxy"),
    }
    env = dict((name, " ".join(value)) for name, value in words.items() if value)
    env["UV_FIND_LINKS"] = ",".join(pip.get("find-links", []))
    env["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip does; the hashes keep it safe
    return dict(env, **os.environ)


# --- Processes ---------------------------------------------------------------------------------


class Children(object):
    """The processes that belong to us. Servers are stopped after those who use them."""

    def __init__(self):
        self.started = []

    def start(self, name, command, stop=signal.SIGTERM, server=False, given=None, **how):
        """Start `command` with its output in var/log/<name>.log; `given` is its standard input."""
        how.setdefault("cwd", BASE)
        with open(os.path.join(LOGS, name + ".log"), "wb") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C in the terminal reaches us alone, we keep the order.
                start_new_session=True,
                preexec_fn=ends_with_us(stop),
                **how,
            )
        self.started.append((name, child, stop, server))
        if given:
            child.stdin.write(given.encode("utf-8"))
            child.stdin.close()
        return child

    def check(self):
        for name, child, _, _ in self.started:
            if child.poll() is not None:
                raise Failure("The %s stopped by itself.\n%s" % (name, tail(name)))

    def wait_for(self, ready, what, seconds=30):
        end = time.time() + seconds
        while not ready():
            self.check()
            if time.time() > end:
                raise Failure("The %s is not ready after %d s.\n%s" % (what, seconds, tail(what)))
            time.sleep(0.05)

    def stop(self):
        """Stop everything, in order, and see that nothing is left."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for servers in (False, True):
            group = [entry for entry in self.started if entry[3] == servers]
            for _, child, number, _ in group:
                if child.poll() is None:
                    child.send_signal(number)
            for _, child, _, _ in group:
                finish(child, 30 if servers else 8)


def finish(child, seconds):
    """Wait for it, then end what is left of it: its session holds nothing but its own children."""
    try:
        child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except OSError:
        pass  # nothing was left, as it should be
    child.wait()


def ends_with_us(number):
    """Give what a child does before it runs: on Linux it gets the signal when we are killed."""
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None
    us = os.getpid()

    def ask_the_kernel():
        prctl(1, int(number), 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != us:
            os._exit(1)

    return ask_the_kernel


def run(command, log=None, check=True, given=None, **how):
    """Run it to its end and return its exit code; `log` names the file that takes its output."""
    how.setdefault("cwd", BASE)
    output = open(os.path.join(LOGS, log + ".log"), "ab") if log else open(os.devnull, "wb")
    with output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=ends_with_us(signal.SIGTERM),
            **how,
        )
        try:
            child.communicate(given.encode("utf-8") if given else None)
        except BaseException:
            child.terminate()
            child.wait()
            raise
    if check and child.returncode:
        raise Failure("This failed: %s\n%s" % (" ".join(command), tail(log) if log else ""))
    return child.returncode
