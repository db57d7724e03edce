"""Make the clients of four generators and build them: openapi-generator's and openapi-typescript's.

Everything lies in `var/generated-clients`, the tools once, and the clients once for each document.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.conftest import ROOT

HERE = Path(__file__).parent
FOLDER = ROOT / "var" / "generated-clients"
GENERATOR = "openapi-generator-cli==7.26.0"
# What Python's client asks for in its requirements.txt.
OF_PYTHON = ("urllib3>=2.7,<3", "python-dateutil>=2.8.2", "pydantic>=2.11", "typing-extensions")
# Jackson is in the generator's own archive; Debian has the rest of what the Java client uses.
# What Debian calls the package of a tool.
PROGRAMS = {
    "java": "openjdk-17-jdk-headless",
    "javac": "openjdk-17-jdk-headless",
    "node": "nodejs",
    "npm": "npm",
}
ARCHIVES = {
    "jakarta-annotation-api": "libjakarta-annotation-api-java",
    "httpcore": "libhttpcore-java",
    "httpclient": "libhttpclient-java",
    "httpmime": "libhttpmime-java",
}


def missing(language: str) -> list[str]:
    """The programs and archives that are not on this machine, with Debian's names."""
    lacks = [
        f"{tool} (Debian: {name})" for tool, name in PROGRAMS.items() if not shutil.which(tool)
    ]
    if language == "java":
        lacks += [
            f"{name}.jar (Debian: {package})"
            for name, package in ARCHIVES.items()
            if not _archive(name).exists()
        ]
    return lacks


def _archive(name: str) -> Path:
    return Path("/usr/share/java") / f"{name}.jar"


def do(*command: object, folder: Path) -> str:
    """Run a command; raises AssertionError with what it said where it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def tools() -> Path:
    """The folder of the generators, installed at the first use."""
    wanted = (HERE / "package.json").read_bytes() + GENERATOR.encode()
    folder = FOLDER / f"tools-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not (folder / "ready").exists():
        (folder / "python").mkdir(parents=True, exist_ok=True)
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--target")
        do(*pip, folder / "python", GENERATOR, *OF_PYTHON, folder=folder)
        shutil.copy(HERE / "package.json", folder)
        do("npm", "install", "--silent", "--no-package-lock", folder=folder)
        (folder / "ready").touch()
    return folder


def client(language: str, document: bytes) -> Sequence[object]:
    """The command that walks the scenario with the client of a language, made of this document."""
    at = tools()
    programs = b"".join(
        path.read_bytes()
        for path in sorted(HERE.iterdir())
        if path.is_file() and path.name != "scenario.py"
    )
    name = hashlib.sha256(document + programs + at.name.encode()).hexdigest()[:12]
    folder = FOLDER / f"{language}-{name}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "openapi.json").write_bytes(document)
        command = BUILDS[language](folder, at)
        (folder / "ready").write_text("\n".join(str(part) for part in command))
    return (folder / "ready").read_text().split("\n")


def _generator(tools: Path) -> Path:
    return tools / "python" / "openapi_generator_cli" / "openapi-generator.jar"


def _generate(folder: Path, tools: Path, generator: str, *options: str) -> None:
    jar = _generator(tools)
    command = ("java", "-jar", jar, "generate", "-i", "openapi.json", "-g", generator)
    do(*command, "-o", "made", *options, folder=folder)


def _java(folder: Path, tools: Path) -> Sequence[object]:
    _generate(
        folder, tools, "java", "--library", "native",
        "--additional-properties", "openApiNullable=false,useJakartaEe=true",
    )  # fmt: skip
    path = ":".join(["classes", *map(str, (_generator(tools), *map(_archive, ARCHIVES)))])
    sources = [*(folder / "made/src/main/java").rglob("*.java"), HERE / "Walk.java"]
    do("javac", "-nowarn", "-parameters", "-cp", path, "-d", "classes", *sources, folder=folder)
    full = path.replace("classes", str(folder / "classes"), 1)
    return ("java", "-XX:TieredStopAtLevel=1", "-cp", full, "Walk")


def _python(folder: Path, tools: Path) -> Sequence[object]:
    _generate(folder, tools, "python")
    found = f"{folder / 'made'}:{tools / 'python'}"
    # -S: nothing of the portal's own libraries.
    return ("env", f"PYTHONPATH={found}", sys.executable, "-S", HERE / "walk.py")


def _typescript(folder: Path, tools: Path, program: str) -> Sequence[object]:
    (folder / "node_modules").symlink_to(tools / "node_modules")
    for name in (program, "steps.ts"):
        shutil.copy(HERE / name, folder)
    options = ("--strict", "--target", "es2022", "--module", "commonjs", "--esModuleInterop")
    more = ("--lib", "es2022,dom,dom.iterable", "--types", "node")
    compiler = folder / "node_modules" / ".bin" / "tsc"
    do(compiler, *options, *more, "--outDir", "built", program, folder=folder)
    return ("node", folder / "built" / program.replace(".ts", ".js"))


def _typescript_fetch(folder: Path, tools: Path) -> Sequence[object]:
    _generate(folder, tools, "typescript-fetch")
    return _typescript(folder, tools, "walk.ts")


def _openapi_typescript(folder: Path, tools: Path) -> Sequence[object]:
    make = tools / "node_modules" / ".bin" / "openapi-typescript"
    do(make, "openapi.json", "-o", "schema.d.ts", folder=folder)
    return _typescript(folder, tools, "typed_walk.ts")


BUILDS: dict[str, Callable[[Path, Path], Sequence[object]]] = {
    "java": _java,
    "python": _python,
    "typescript-fetch": _typescript_fetch,
    "openapi-typescript": _openapi_typescript,
}
