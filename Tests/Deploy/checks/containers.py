"""The Dockerfile and the Compose file. No container is started here."""

import re
import shlex
import shutil
import tempfile
from pathlib import Path

from .common import BINARY, DEPLOY, ROOT, Skipped, document, fails_only_to_reach, prometheus, run, said_by

DOCKERFILE = DEPLOY / "docker/Dockerfile"
COMPOSE = DEPLOY / "compose/compose.yaml"


def instructions() -> list[tuple[str, list[str]]]:
    """The instructions of the Dockerfile with their words."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    words = [shlex.split(line) for line in text.splitlines() if line.strip()]
    return [(first.upper(), rest) for first, *rest in words]


def stages() -> list[str]:
    return [words[2] for name, words in instructions() if name == "FROM"]


def packages(stage: str) -> set[str]:
    """What a stage installs."""
    found, current = set(), ""
    for name, words in instructions():
        if name == "FROM":
            current = words[2]
        elif name == "RUN" and "install" in words and current == stage:
            rest = words[words.index("install") + 1 :]
            found |= {word for word in rest[: rest.index("&&")] if not word.startswith("-")}
    return found


def dockerfile_is_whole() -> None:
    """Each stage is built on one that there is, and the last one is the service."""
    known, arguments = set(), {}
    for name, words in instructions():
        if name == "ARG":
            key, _, value = words[0].partition("=")
            arguments["${" + key + "}"] = value
        elif name == "FROM":
            assert words[0] in known or arguments.get(words[0]), f"FROM {words[0]}: there is no such stage or argument"
            assert words[1] == "AS", f"FROM {words[0]}: the stage has no name"
            known.add(words[2])
        elif name == "COPY":
            for word in words:
                assert not word.startswith("--from=") or word[7:] in known, f"COPY {word}: there is no such stage"
    assert stages()[-1] == "sagamore", "a build without --target has to make the service"
    users = [words[0] for name, words in instructions() if name == "USER"]
    assert users and re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]), f"USER {users}: not a number other than root's"
    said_by("bash", "-n", DEPLOY / "docker/healthcheck")


def images_have_the_libraries() -> None:
    """Debian's packages with the libraries that the program is linked to are in the image."""
    release = Path("/etc/os-release")
    if not release.exists() or 'VERSION_ID="12"' not in release.read_text() or not shutil.which("readelf"):
        raise Skipped("this needs readelf, and Debian 12, whose names of packages the Dockerfile has")
    wanted = {}
    # Those that the program names itself: what they need in turn comes with their packages.
    direct = re.findall(r"NEEDED.*\[(.+)\]", said_by("readelf", "--dynamic", BINARY))
    for library in re.findall(r"^\s*(\S+) => /", said_by("ldd", BINARY), re.MULTILINE):
        if library in direct:
            # Swift's own libraries belong to no package, and are linked statically in images.
            found = run("dpkg", "--search", f"*/{library}").stdout
            wanted |= {library: line.split(":")[0] for line in found.splitlines()}
    assert {"libcrypto.so.3", "libpq.so.5", "librdkafka.so.1"} <= set(wanted), f"only {wanted} were found"
    missing = {library: package for library, package in wanted.items() if package not in packages("runtime")}
    assert set(missing.values()) <= {"libc6"}, f"the runtime stage lacks {missing}"
    manifest = set(re.findall(r'apt: "([^"]+)"', (ROOT / "Package.swift").read_text()))
    assert packages("source") == manifest, f"built with {packages('source')}, and Package.swift names {manifest}"


def context_holds_the_package() -> None:
    """What .dockerignore leaves over has what is copied, and is a package that SwiftPM accepts."""
    lines = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in lines, "everything is excluded first"
    ignored = shutil.ignore_patterns(*(line[3:] for line in lines if line.startswith("**/")))
    with tempfile.TemporaryDirectory(prefix="sagamore-context-") as name:
        context = Path(name)
        for kept in (line[1:] for line in lines if line.startswith("!")):
            target = context / kept
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / kept).is_dir():
                shutil.copytree(ROOT / kept, target, symlinks=True, ignore=ignored)
            else:
                shutil.copy(ROOT / kept, target)
        for name, words in instructions():
            sources = [word for word in words[:-1] if not word.startswith("--")]
            if name == "COPY" and not any(word.startswith("--from=") for word in words):
                for source in sources:
                    assert (context / source).exists(), f"COPY {source}: it is not in the build context"
        if not shutil.which("swift"):
            raise Skipped("there is no swift to read the package")
        products = said_by("swift", "package", "describe", "--type", "text", folder=context)
        for product in re.findall(r"--product (\w+)", DOCKERFILE.read_text()):
            assert f"Name: {product}\n" in products, f"the package has no product {product}"


def services() -> dict:
    return document(COMPOSE)["services"]


def mounts(service: dict):
    """The mounts of files and folders: the source, and its place in the container."""
    for volume in service.get("volumes", []):
        source, target = volume.split(":")[:2]
        if source.startswith("."):
            yield (COMPOSE.parent / source).resolve(), target


def compose_is_whole() -> None:
    """What the Compose file names is there."""
    whole = document(COMPOSE)
    for name, service in whole["services"].items():
        assert re.search(r":v?\d", service["image"]), f"{name}: the image has no version"
        for source, _ in mounts(service):
            assert source.exists(), f"{name}: there is no {source}"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith(".") or source in whole["volumes"], f"{name}: there is no volume {source}"
        for secret in service.get("secrets", []):
            assert (COMPOSE.parent / whole["secrets"][secret]["file"]).exists(), f"{name}: no file of {secret}"
        for other, how in service.get("depends_on", {}).items():
            healthy = how["condition"] != "service_healthy" or "healthcheck" in whole["services"][other]
            assert healthy, f"{name} waits for the health of {other}, which says nothing of it"
        if build := service.get("build"):
            assert (COMPOSE.parent / build["context"]).resolve() == ROOT, f"{name}: the context is not the repository"
            assert ROOT / build["dockerfile"] == DOCKERFILE, f"{name}: {build['dockerfile']}"
            assert build["target"] in stages(), f"{name}: the Dockerfile has no stage {build['target']}"
    version = said_by(BINARY, "--version").split()[-1]
    for name in ("sagamore", "worker"):
        image = whole["services"][name]["image"]
        assert image.endswith(f":{version}"), f"{name}: {image}, and the program is {version}"
    said_by("bash", "-n", COMPOSE.parent / "postgres-setup.sh")


def compose_is_confined() -> None:
    for name, service in services().items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: the port {port} is open for others"
        assert service["cap_drop"] == ["ALL"], f"{name} has capabilities"
        assert "no-new-privileges:true" in service["security_opt"], f"{name} may get privileges"
        assert service.get("read_only") or name == "kafka", f"{name}: the root file system is writable"
        for variable, value in service.get("environment", {}).items():
            is_secret = "PASSWORD" in variable and not value.startswith("/run/secrets/")
            assert not is_secret, f"{name}: {variable} is not a file"


def compose_configures_sagamore() -> None:
    """The configuration is right but for a database and a broker that are not there."""
    whole = document(COMPOSE)
    with tempfile.TemporaryDirectory(prefix="sagamore-compose-") as name:
        folder = Path(name)
        for secret in whole["services"]["sagamore"]["secrets"]:
            shutil.copy(COMPOSE.parent / whole["secrets"][secret]["file"], folder / secret)
        text = (COMPOSE.parent / "sagamore.yaml").read_text()
        assert "/etc/sagamore/sagamore.yaml" in dict(map(reversed, mounts(whole["services"]["sagamore"])))
        for old, new in {
            "/run/secrets/": f"{folder}/",
            "host: postgres\n": "host: 127.0.0.1\n  port: 1\n",
            "kafka:19092": "127.0.0.1:1",
        }.items():
            assert old in text, f"sagamore.yaml does not have {old}"
            text = text.replace(old, new)
        (folder / "sagamore.yaml").write_text(text)
        fails_only_to_reach(folder / "sagamore.yaml", {})


def compose_configures_monitoring() -> None:
    """Prometheus accepts what is mounted, as it is mounted; Grafana finds its source and its dashboard."""
    all_services = services()
    with tempfile.TemporaryDirectory(prefix="sagamore-compose-") as name:
        for source, target in mounts(all_services["prometheus"]):
            shutil.copy(source, Path(name) / Path(target).name)
        said_by(prometheus("promtool"), "check", "config", "prometheus.yaml", folder=Path(name))
    text = (COMPOSE.parent / "prometheus.yaml").read_text()
    assert "sagamore:8233" in text and "job_name: sagamore" in text, "Prometheus does not look for the node"
    inside = {target: source for source, target in mounts(all_services["grafana"])}
    (source,) = document(COMPOSE.parent / "grafana/datasources/prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090", source
    (provider,) = document(COMPOSE.parent / "grafana/dashboards/sagamore.yaml")["providers"]
    place = provider["options"]["path"] + "/sagamore.json"
    assert inside.get(place) == DEPLOY / "grafana/sagamore.json", f"no dashboard is mounted as {place}"
