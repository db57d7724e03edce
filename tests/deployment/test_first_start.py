"""The blocks of `docs/operations/first-start.md`, word by word, on Debian's own servers.

They run as root in namespaces of their own: `/etc`, `/opt`, `/run` and `/var/lib` are copies or empty,
and no port of this machine is seen. There is no systemd in there, so `systemctl` is a function that
starts what the units name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "operations" / "first-start.md"
# What the page installs, and what the namespaces need.
NEEDED = ("pg_createcluster", "redis-server", "nginx", "openssl", "unshare", "runuser", "adduser")
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = ("python3 -m venv", ".venv/bin/pip")

PREPARE = """
set -eu
ip link set lo up
mkdir {work}/etc {work}/lib
cp -a /etc/. {work}/etc
mount --bind {work}/etc /etc
mount --bind {work}/opt /opt
cp -a /var/lib/nginx {work}/lib/
mount --bind {work}/lib /var/lib
mount -t tmpfs tmpfs /run
install -d -o postgres /run/postgresql /var/lib/postgresql
rm -rf /etc/postgresql
install -d -o postgres /etc/postgresql
pg_createcluster --start $(ls /usr/lib/postgresql | sort -n | tail -n 1) main > /dev/null
redis-server --daemonize yes --dir /tmp --save '' > /dev/null
systemctl() {{
    case "$*" in
    "enable --now "*)
        for unit in portal-web portal-worker portal-beat; do
            told=/etc/systemd/system/$unit.service
            (
                . /etc/portal.env
                eval "$(sed -n 's/^Environment=/export /p' $told)"
                cd "$(sed -n 's/^WorkingDirectory=//p' $told)"
                exec runuser -u portal -- $(sed -n 's/^ExecStart=//p' $told) 2> {work}/$unit.log
            ) &
        done
        ;;
    "restart nginx") nginx ;;
    daemon-reload) ;;
    *) return 1 ;;
    esac
}}
set -a
"""
AFTERWARDS = """
set +e
for second in $(seq 120); do
    docker/manage.sh doctor > {work}/doctor.txt; grep -q 'WRONG  portal.W020' {work}/doctor.txt || break
    sleep 1
done
cat {work}/doctor.txt
curl -sk https://localhost/health/ready
"""


@pytest.fixture
def work() -> Iterator[Path]:
    """A folder that every account may enter, unlike that of pytest."""
    with TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def blocks() -> list[str]:
    """The blocks under *Without Docker*, in order."""
    section = PAGE.read_text().split("## Without Docker")[1].split("\n## ")[0]
    found: list[str] = re.findall(r"^```\n(.*?)^```$", section, re.S | re.M)
    assert len(found) == 5
    return found


def without(block: str, *beginnings: str) -> str:
    return "".join(line for line in block.splitlines(True) if not line.startswith(beginnings))


@pytest.mark.requirement(122)
def test_dirk_installs_the_portal_block_by_block(work: Path, rounds: float) -> None:
    """`--rounds 2` for a minute or two: at the end, doctor has nothing to complain of but the mail."""
    if rounds < 2:
        pytest.skip("everything is installed anew: --rounds 2")
    missing = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and Debian's {', '.join(missing) or 'servers'}")
    first, *others = blocks()
    program = work / "opt" / "portal"
    program.mkdir(parents=True)
    work.chmod(0o755)
    kept = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    copy = ["xargs", "-0", "cp", "--parents", "-t", str(program)]
    subprocess.run(copy, input=kept, cwd=ROOT, check=True)
    environment = {"PATH": PATH, "HOME": str(work), "LANG": "C.UTF-8"}
    # The packages of Python come from the network, which the namespace has not.
    python = [line for line in first.splitlines() if line.startswith(PYTHON)]
    assert len(python) == len(PYTHON)
    subprocess.run(
        ["sh", "-euc", "\n".join(python)],
        cwd=program,
        env={**os.environ, **environment},
        check=True,
    )
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-keyout", "privkey.pem", "-out", "fullchain.pem"],
        cwd=program, capture_output=True, check=True,
    )  # fmt: skip
    typed = [without(first, "apt ", *PYTHON), *others]
    # The two things that the page says to replace, and doctor is asked afterwards, again and again.
    script = "".join(typed).replace("https://connect.example", "https://localhost")
    script = without(script, "docker/manage.sh doctor")
    text = (PREPARE + script + AFTERWARDS).replace("{{", "{").replace("}}", "}")
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child",
         "bash", "-c", text.replace("{work}", str(work))],
        env=environment, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert "Open this link within an hour" in done.stdout, done.stderr + done.stdout
    wrong = re.findall(r"^WRONG +(\S+)", done.stdout, re.M)
    assert set(wrong) <= {"portal.W016"}, done.stdout
    assert done.stdout.endswith("ready\n"), done.stderr[-2000:]
