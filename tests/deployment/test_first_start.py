"""The blocks of `docs/operations/` for a host without Docker, word by word, on Debian's own servers:
install, back up, restore, upgrade, go back to a moment.

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
PAGES = ROOT / "docs" / "operations"
# What the page installs, and what the namespaces need.
NEEDED = (
    "pg_createcluster",
    "pgbackrest",
    "setpriv",
    "redis-server",
    "nginx",
    "openssl",
    "unshare",
    "runuser",
    "adduser",
)
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
mount -t tmpfs tmpfs /srv
mount -t tmpfs tmpfs /var/log
install -d /var/log/nginx
install -d -o postgres /var/log/postgresql /var/log/pgbackrest
mount -t tmpfs -o mode=1777 tmpfs /tmp
install -d -o postgres /run/postgresql /var/lib/postgresql
rm -rf /etc/postgresql
install -d -o postgres /etc/postgresql
version=$(ls /usr/lib/postgresql | sort -n | tail -n 1)
pg_createcluster --start $version main > /dev/null
redis-server --daemonize yes --dir /tmp --save '' > /dev/null
start() {{
    told=/etc/systemd/system/$1.service
    (
        . /etc/portal.env
        eval "$(sed -n 's/^Environment=/export /p' $told)"
        cd "$(sed -n 's/^WorkingDirectory=//p' $told)"
        exec setpriv --reuid portal --regid portal --init-groups $(sed -n 's/^ExecStart=//p' $told) 2>> {work}/$1.log
    ) &
    echo $! > {work}/$1.pid
}}
stop() {{
    kill "$(cat {work}/$1.pid)"
    wait "$(cat {work}/$1.pid)" || true
}}
systemctl() {{
    case "$*" in
    daemon-reload) return ;;
    "restart nginx") nginx; return ;;
    *" postgresql") pg_ctlcluster $version main $1; return ;;
    "enable --now "*) shift 2; set -- start "$@" ;;
    esac
    act=$1
    shift
    for unit; do
        case $act in
        start) start $unit ;;
        stop) stop $unit ;;
        restart) stop $unit; start $unit ;;
        *) return 1 ;;
        esac
    done
}}
doctor() {{
    for second in $(seq 120); do
        docker/manage.sh doctor > {work}/doctor.txt && break
        grep -q 'WRONG  portal.W020' {work}/doctor.txt || break
        sleep 1
    done
    sed "s/^/$1 /" {work}/doctor.txt
    curl -sk --retry 20 --retry-all-errors --retry-delay 1 -o {work}/ready https://localhost/health/ready
    echo "$1 $(cat {work}/ready)"
}}
set -a
"""
# A new release, without the network: the libraries of the one before.
UNPACK = """
cp -a /opt/portal-0.1.0 /opt/portal-0.2.0
"""
# Something of which a moment later nothing is left.
BEFORE = """
sleep 1; before=$(date '+%F %T.%3N%:::z'); sleep 1
runuser -u postgres -- psql -qc 'create table later ()' portal
runuser -u postgres -- psql -qtc 'select pg_switch_wal()' portal > /dev/null
sleep 2
"""
AFTER = """
echo "gone: $(runuser -u postgres -- psql -tAc "select 'later' where to_regclass('later') is null" portal)"
"""


@pytest.fixture
def work() -> Iterator[Path]:
    """A folder that every account may enter, unlike that of pytest."""
    with TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def blocks(page: str, section: str, number: int) -> list[str]:
    """The blocks of a section, in order."""
    text = (PAGES / page).read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    found: list[str] = re.findall(r"^```\n(.*?)^```$", text, re.S | re.M)
    assert len(found) == number, (page, section)
    return found


def without(block: str, *beginnings: str) -> str:
    return "".join(line for line in block.splitlines(True) if not line.startswith(beginnings))


@pytest.mark.requirement(122)
def test_dirk_installs_restores_and_upgrades_block_by_block(work: Path, rounds: float) -> None:
    """`--rounds 2` for some minutes: doctor has nothing to complain of but the mail, four times."""
    if rounds < 2:
        pytest.skip("everything is installed anew: --rounds 2")
    missing = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and Debian's {', '.join(missing) or 'servers'}")
    first, *others = blocks("first-start.md", "Without Docker", 5)
    program = work / "opt" / "portal-0.1.0"
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
    # What the pages say to replace: the host, and moments. Doctor is asked again and again.
    script = "".join([without(first, "apt ", *PYTHON), *others])
    script = script.replace("https://connect.example", "https://localhost") + "doctor installed\n"
    script += "".join(blocks("backup.md", "Back up", 1))
    restore = blocks("backup.md", "Restore", 3)
    script += "".join(restore[:2]) + "doctor restored\n"
    script += UNPACK + "".join(blocks("upgrade.md", "Without Docker", 2)) + "doctor upgraded\n"
    moment = blocks("backup.md", "Back to any moment", 2)
    script += moment[0].replace("postgresql/15/", "postgresql/$version/") + BEFORE
    script += moment[1].replace("'2026-11-30 12:00:00+01'", '"$before"') + AFTER + "doctor back\n"
    script += "readlink /proc/$(cat {work}/portal-web.pid)/cwd\n"
    script = without(script, "apt ", "docker/manage.sh doctor", *PYTHON)
    text = (PREPARE + script).replace("{{", "{").replace("}}", "}")
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child",
         "bash", "-c", text.replace("{work}", str(work))],
        env=environment, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout
    assert "Open this link within an hour" in done.stdout
    assert "All of it was read again." in done.stdout
    assert "The hash chains are whole." in done.stdout
    assert "0 cancelled again\ngone: later\n" in done.stdout, done.stdout
    for when in ("installed", "restored", "upgraded", "back"):
        wrong = re.findall(rf"^{when} WRONG +(\S+)", done.stdout, re.M)
        assert set(wrong) <= {"portal.W016"}, done.stdout
        assert f"\n{when} ready\n" in done.stdout, done.stdout + done.stderr[-2000:]
    assert done.stdout.endswith("/opt/portal-0.2.0\n"), done.stdout
