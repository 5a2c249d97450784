"""What `make package` makes."""

import gzip
import shutil
import tarfile
import tempfile
from pathlib import Path

from .common import BINARY, ROOT, Skipped, run, said_by

# Beside these: the loader, and what belongs to the C library.
LIBRARIES_OF_THE_RUNTIME = ("libswift", "lib_Foundation", "libFoundation", "libdispatch", "libBlocksRuntime")


def package_is_whole() -> None:
    """The same files make the same tarball; what it holds works from another place."""
    with tempfile.TemporaryDirectory(prefix="sagamore-package-") as text:
        folder = Path(text)
        for name in ("first", "second"):
            said_by(ROOT / "scripts/package", "--binary", BINARY, "--output", folder / name)
        first, second = (next((folder / name).glob("*.tar.gz")) for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), "the same program makes two tarballs"
        said_by("sha256sum", "--check", f"{first.name}.sha256", folder=first.parent)
        with tarfile.open(first) as archive:
            assert all(member.uid == 0 and not member.name.startswith("/") for member in archive), "owners or paths"
            archive.extractall(folder, filter="data")
        root = folder / first.name.removesuffix(".tar.gz")
        check_contents(root, said_by(root / "bin/sagamore", "--version").split()[1])


def check_contents(root: Path, version: str) -> None:
    assert version in root.name, f"{root.name} is not of version {version}"
    page = gzip.decompress((root / "share/man/man1/sagamore.1.gz").read_bytes()).decode()
    assert page.isascii() and ".SS sagamore serve" in page, "the manual page is not whole"
    if shutil.which("man"):
        shown = run("man", "--warnings", "-l", root / "share/man/man1/sagamore.1.gz")
        assert "sagamore diagnose" in shown.stdout and not shown.stderr, shown.stderr[:500]
    said_by("bash", "-n", root / "share/bash-completion/completions/sagamore")
    assert (root / "share/zsh/site-functions/_sagamore").read_text().startswith("#compdef sagamore\n")
    assert (root / "share/fish/vendor_completions.d/sagamore.fish").stat().st_size > 1_000
    unit = (root / "lib/systemd/system/sagamore.service").read_text()
    assert "ExecStart=/usr/local/bin/sagamore serve" in unit, "the unit starts another program"
    default = said_by(root / "bin/sagamore", "config", "default")
    assert (root / "share/doc/sagamore/sagamore.yaml").read_text() == default


def static_program_needs_c_libraries_only() -> None:
    """Only where somebody has run `make package`: to build it takes minutes."""
    archives = sorted((ROOT / ".build/package").glob("*.tar.gz"))
    if not archives:
        raise Skipped("nobody has run 'make package' here")
    with tempfile.TemporaryDirectory(prefix="sagamore-package-") as folder, tarfile.open(archives[-1]) as archive:
        archive.extractall(folder, filter="data")
        program = next(Path(folder).glob("*/bin/sagamore"))
        done = run("ldd", program)
        wrong = [line for line in done.stdout.splitlines() if line.strip().startswith(LIBRARIES_OF_THE_RUNTIME)]
        assert not wrong, f"the program needs the Swift runtime: {wrong}"
        said_by(program, "--version")
