"""Private virtual environments with pinned packages, created once."""

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path


def prepare(folder: Path, requirements: list) -> Path:
    """Creates the environment at `folder` if it is missing or has other packages. Returns its Python.

    When several processes call this for one folder, one creates the environment and the others wait.
    """
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    wanted = "\n".join(requirements) + "\n"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(folder.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted and python.exists():
            return python
        print(f"Creating a virtual environment in {folder}: {', '.join(requirements)}", file=sys.stderr, flush=True)
        try:
            venv.create(folder, with_pip=True, clear=True)
        except subprocess.CalledProcessError:
            sys.exit("Python cannot create virtual environments here: install python3-venv (Debian, Ubuntu)")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        if subprocess.run(install, stdout=sys.stderr).returncode != 0:
            sys.exit(f"Failed to install the packages: {', '.join(requirements)}")
        stamp.write_text(wanted)
    return python


def enter(folder: Path, requirements: list) -> None:
    """Restarts this program with the Python of the environment at `folder`."""
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    python = prepare(folder, requirements)
    sys.stdout.flush()
    os.execv(python, [str(python), str(Path(__file__).parent), *sys.argv[1:]])
