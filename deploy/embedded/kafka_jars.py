"""The jars of Apache Kafka: their list, checksums and download."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from files.locks import wait_for_lock

KAFKA_VERSION = "4.4.0"

# Every jar that the broker needs at run time, by Maven coordinates, with its SHA-256: what runs is what was tested, and
# a damaged or replaced file is detected. `python -m deploy.embedded.kafka_jars VERSION` prints the table for another
# version.
JARS: dict[str, str] = dict(line.split(",") for line in Path(__file__).with_suffix(".csv").read_text().splitlines()[1:])
_LOG_BINDING = ("org.apache.logging.log4j", "log4j-slf4j-impl")  # slf4j 1.7 to log4j 2; not in Kafka's POM

Progress = Callable[[int, int, str], None]
"""Called with the number of jars present, the number of all jars, and the name of the last one."""


class FetchFailed(RuntimeError):
    """A jar could not be downloaded or is not the expected file."""


def default_cache() -> Path:
    """Return the folder where downloads are kept between starts: `TALLY_DOWNLOAD_CACHE`, or `~/.cache/tally`."""
    return Path(os.environ.get("TALLY_DOWNLOAD_CACHE") or Path.home() / ".cache" / "tally")


def fetch_kafka(
    cache: Path,
    progress: Progress = lambda *_: None,
    *,
    jars: Mapping[str, str] = JARS,
    repository: str | None = None,
) -> list[Path]:
    """Return the broker's class path, downloading missing jars into `cache`.

    A jar is present only when it is complete and its checksum is right, so an interrupted download continues where it
    stopped, and a second call needs no network. Every jar is checked each time, and downloaded again if it is not the
    one that was tested. `repository` is the URL of a Maven repository to use instead of the public one. Raises
    FetchFailed.
    """
    home = cache / f"kafka-{KAFKA_VERSION}"
    paths = {coordinates: home / _file_name(coordinates) for coordinates in jars}
    if any(_is_missing(path, jars[coordinates]) for coordinates, path in paths.items()):
        home.mkdir(parents=True, exist_ok=True)
        with (home / ".lock").open("w") as lock, tempfile.TemporaryDirectory(dir=home) as scratch:
            wait_for_lock(lock)  # two simultaneous first starts download once
            missing = {name: jars[name] for name, path in paths.items() if _is_missing(path, jars[name])}
            source = _Source(Path(scratch), home, repository)
            for done, name in enumerate(source.download_all(missing), start=len(jars) - len(missing) + 1):
                progress(done, len(jars), name)
    return list(paths.values())


@dataclass(frozen=True)
class _Source:
    """A Maven repository, a folder for downloads in progress, and the folder for verified files."""

    scratch: Path
    home: Path
    repository: str | None

    def download_all(self, jars: Mapping[str, str]) -> Iterator[str]:
        with ThreadPoolExecutor(8) as pool:
            downloads = [pool.submit(self._download, *jar) for jar in jars.items()]
            try:
                for download in as_completed(downloads):
                    yield download.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _download(self, coordinates: str, checksum: str) -> str:
        try:
            jar = self._fetch(*coordinates.split(":"))
        except (OSError, RuntimeError) as error:
            raise FetchFailed(
                f"could not download {coordinates} for the embedded Kafka ({error}): check the network and "
                f"start again; what is already in {self.home} is kept"
            ) from error
        if _sha256(jar) != checksum:
            raise FetchFailed(f"{coordinates} is not the file that was tested: its checksum differs; try again")
        jar.replace(self.home / jar.name)
        return jar.name

    def _fetch(self, group: str, name: str, version: str) -> Path:
        from jgo.maven import MavenContext

        repositories = {"given": self.repository} if self.repository else None
        context = MavenContext(repo_cache=self.scratch, remote_repos=repositories, timeout=60)
        return Path(context.project(group, name).at_version(version).artifact().resolve())


def _file_name(coordinates: str) -> str:
    _, name, version = coordinates.split(":")
    return f"{name}-{version}.jar"


def _is_missing(path: Path, checksum: str) -> bool:
    return not path.exists() or _sha256(path) != checksum


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve(version: str) -> dict[str, str]:
    """Resolve Kafka `version` from its POMs: coordinates to SHA-256. Needs the network."""
    from jgo.maven import MavenContext
    from jgo.parse import Coordinate

    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=60)
        kafka = context.create_dependency(Coordinate.parse(f"org.apache.kafka:kafka_2.13:{version}"))
        inputs, transitive = context.resolver.resolve([kafka])
        artifacts = [each.artifact for each in (*inputs, *transitive)]
        log4j = next(each.version for each in artifacts if each.artifactId == "log4j-core")
        artifacts.append(context.project(*_LOG_BINDING).at_version(log4j).artifact())
        return {f"{each.groupId}:{each.artifactId}:{each.version}": _sha256(each.resolve()) for each in artifacts}


if __name__ == "__main__":
    print("coordinates,sha256")
    print("\n".join(map(",".join, resolve(sys.argv[1]).items())))
