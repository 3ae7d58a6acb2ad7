"""What is installed is what requirements/*.txt name by hash, from whatever index it comes."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.stack import ROOT

COMPILED = sorted((ROOT / "requirements").glob("*.txt"))
PURE = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(scope="module", autouse=True)
def _scripts_are_importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT / "scripts"))
    yield
    sys.path.remove(str(ROOT / "scripts"))


class TestTheFiles:
    @pytest.mark.parametrize("file", COMPILED, ids=lambda file: file.name)
    def test_every_requirement_names_its_hashes(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        sections = re.findall(r"^[a-z0-9].*\n(?: .*\n)*", text, re.MULTILINE)

        assert sections
        assert [part.split()[0] for part in sections if "    --hash=sha256:" not in part] == []

    @pytest.mark.parametrize("file", COMPILED, ids=lambda file: file.name)
    def test_they_name_no_index(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")

        assert "://" not in text
        assert "index" not in re.sub(r"#.*", "", text)

    @pytest.mark.parametrize("file", COMPILED, ids=lambda file: file.name)
    def test_each_is_compiled_from_the_wishes_beside_it(self, file: Path) -> None:
        wishes = file.with_suffix(".in").read_text(encoding="utf-8")
        names = re.findall(r"^([a-z0-9][\w.-]*)", wishes, re.MULTILINE)
        pinned = re.findall(r"^([\w.-]+)==", file.read_text(encoding="utf-8"), re.MULTILINE)

        assert names
        assert set(names) <= set(pinned)

    def test_the_image_installs_by_hash_alone(self) -> None:
        whole = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
        installs = re.findall(r"pip (?:install|sync) [^&\n]*", whole)

        assert len(installs) == 2
        assert all("--require-hashes" in install for install in installs)


class Shelf:
    """A package index in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def url(self) -> str:
        return (self.folder / "simple").as_uri()

    def put(self, version: str, *, says: str) -> str:
        """Put a wheel of the package `thing` there; return its hash."""
        page = self.folder / "simple/thing"
        page.mkdir(parents=True, exist_ok=True)
        wheel = page / f"thing-{version}-py3-none-any.whl"
        about = f"thing-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("thing.py", f"SAYS = {says!r}\n")
            archive.writestr(f"{about}/WHEEL", PURE)
            archive.writestr(
                f"{about}/METADATA", f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n"
            )
            archive.writestr(f"{about}/RECORD", "")
        links = (f'<a href="{file.name}">{file.name}</a>' for file in sorted(page.glob("*.whl")))
        (page / "index.html").write_text(
            f"<!DOCTYPE html><html><body>{' '.join(links)}</body></html>"
        )
        return hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own, with pip."""
    folder = tmp_path_factory.mktemp("hashes") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin/python"


class TestInstalling:
    @pytest.fixture
    def main(self, tmp_path: Path) -> Shelf:
        return Shelf(tmp_path / "main")

    @pytest.fixture
    def additional(self, tmp_path: Path) -> Shelf:
        return Shelf(tmp_path / "additional")

    @pytest.fixture
    def packages(
        self,
        python: Path,
        main: Shelf,
        additional: Shelf,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> ModuleType:
        import packages
        import pip_settings

        pip_settings._pip_settings.cache_clear()
        monkeypatch.setattr(pip_settings, "UV_CONFIGURATION", ())
        monkeypatch.setattr(packages, "PYTHON", python)
        monkeypatch.setattr(packages, "WANTED", tmp_path / "wanted.txt")
        monkeypatch.setattr(packages, "UV", Path(sys.executable).parent / "uv")
        monkeypatch.setattr(packages, "_bring_uv", lambda: None)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        monkeypatch.setenv("PIP_INDEX_URL", main.url)
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", additional.url)
        return packages

    def said(self, python: Path) -> str:
        look = (
            "import importlib.util as u; print(u.find_spec('thing') and __import__('thing').SAYS)"
        )
        return subprocess.run(
            [python, "-c", look], capture_output=True, text=True, check=True
        ).stdout.strip()

    def test_an_additional_index_gives_what_the_main_one_lacks(
        self, packages: ModuleType, python: Path, main: Shelf, additional: Shelf
    ) -> None:
        main.put("1.0", says="old")
        wanted = additional.put("2.0", says="as pinned")

        assert packages._sync(f"thing==2.0 --hash=sha256:{wanted}\n") is None
        assert self.said(python) == "as pinned"

    def test_a_newer_file_elsewhere_is_not_taken(
        self, packages: ModuleType, python: Path, main: Shelf, additional: Shelf
    ) -> None:
        wanted = main.put("3.0", says="ours")
        additional.put("3.0", says="theirs")
        additional.put("9.0", says="newest")

        assert packages._sync(f"thing==3.0 --hash=sha256:{wanted}\n") is None
        assert self.said(python) == "ours"

    def test_another_file_of_the_same_name_is_refused(
        self, packages: ModuleType, python: Path, main: Shelf, additional: Shelf, tmp_path: Path
    ) -> None:
        ours = Shelf(tmp_path / "ours").put("4.0", says="ours")
        main.put("4.0", says="theirs")
        additional.put("4.0", says="theirs")

        problem = packages._sync(f"thing==4.0 --hash=sha256:{ours}\n")

        assert problem is not None
        assert "hash" in problem.lower()
        assert self.said(python) != "theirs"

    def test_a_requirement_without_a_hash_is_refused(
        self, packages: ModuleType, python: Path, main: Shelf
    ) -> None:
        main.put("5.0", says="who knows")

        problem = packages._sync("thing==5.0\n")

        assert problem is not None
        assert "hash" in problem.lower()
        assert self.said(python) != "who knows"


def test_the_words_of_a_failed_command_are_shown() -> None:
    """pip and uv complain on standard error: on what they say there depends whether mysqlclient is
    left out.
    """
    from say import run

    assert (
        run([sys.executable, "-c", "import sys; sys.exit('error: mysqlclient')"])
        == "error: mysqlclient"
    )
